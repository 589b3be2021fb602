"""What counts as a prompt that closes the gap."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from configs.errors import InputError
from configs.score_bounds import score_bounds
from evaluators.ledger.spend import Spend
from search.experiments.catalogue import experiment_named
from search.experiments.cell import Hole
from search.experiments.gap import gap_of, sentences, shares, shares_by_measure, tables
from search.experiments.markdown import csv_table, summary
from search.experiments.results import ExperimentResults, Measure, ResultRow
from search.experiments.sufficient import BASE, TARGET
from search.experiments.toys import has_toys
from search.statistics.draws import difference_of_draws, mean_of_draws
from tests.search.experiments.toy import toy_config

pytestmark = pytest.mark.heavy

_TURN = Measure("toy", "toy turn 1", 0)
_PROMPT = {"experiment": "components", "condition": "rules only"}
_TRAINED = {"experiment": "icl_vs_finetuning", "condition": "fine-tuned (full), n 3"}


def _results(folder: Path) -> ExperimentResults:
    """A base model at 4, an instruct model at 8, a prompt at 6 and a trained model at 7."""
    random = np.random.default_rng(0)
    means = ((BASE, 4.0), (TARGET, 8.0), (_PROMPT, 6.0), (_TRAINED, 7.0))
    scores = {
        (number, _TURN.name): {1: {f"q{at}": mean + random.normal(0, 0.3) for at in range(12)}}
        for number, (_, mean) in enumerate(means)
    }
    return ExperimentResults(
        experiment=experiment_named("sufficient"),
        config=toy_config(folder),
        conditions=tuple(dict(condition) for condition, _ in means),
        measures=(_TURN,),
        rows=tuple(
            ResultRow(condition, _TURN, 1, mean_of_draws(scores[at, _TURN.name], 0.95), None, None, 3, None, None)
            for at, (condition, _) in enumerate(means)
        ),
        holes=(),
        cells=len(means),
        prompted=frozenset({2}),
        scores=scores,
        categories={_TURN.name: {f"q{at}": "even" if at % 2 else "odd" for at in range(12)}},
        found_sets={},
        spend=Spend(),
    )


def _said(results: ExperimentResults) -> str:
    return " ".join(summary(results, shares_by_measure(results)))


def test_a_trained_model_is_shown_beside_the_prompts_and_is_never_the_best_of_them(tmp_path: Path) -> None:
    results = _results(tmp_path)
    sentence, _ = sentences(results, shares_by_measure(results))
    assert "(12 questions, 6 failed)" in sentence
    assert "The best of 1 prompt (components: rules only)" in sentence
    assert "1 condition beside them has no prompt, or a trained model." in sentence
    assert [share.is_prompted for share in shares(results, _TURN)] == [True, False]
    whole, by_category = tables(results, _TURN, shares(results, _TURN))
    assert [row[-3:] for row in whole.rows] == [("12", "9", "prompt"), ("12", "9", "no prompt, or trained")]
    ((name, *by_question),) = by_category.rows
    assert name == "components: rules only"
    assert all(cell.endswith(", n = 6") for cell in by_question)


def test_a_summary_counts_what_it_speaks_of(tmp_path: Path) -> None:
    results = _results(tmp_path)
    assert "There are" not in _said(results)
    assert "4 cells have run, none is missing; paid for here:" in _said(results)
    hole = Hole(_PROMPT, "why not", None, "toy")
    said = _said(replace(results, holes=(hole,), cells=1))
    assert "1 cell has run, 1 is missing" in said
    assert "(2 here, and those by category) stand alone" in said
    reached, base = (results.scores[at, _TURN.name] for at in (2, 0))
    difference = difference_of_draws(reached, base, 0.95)
    rows = [replace(row, difference=difference, stays=True) for row in results.rows]
    assert "There is one difference here" in _said(replace(results, rows=tuple(rows[:1])))
    assert "There are 4 differences here: * marks the 4 that stay" in _said(replace(results, rows=tuple(rows)))


def test_a_difference_that_the_benchmarks_own_questions_have_chosen_has_no_star(tmp_path: Path) -> None:
    results = _results(tmp_path)
    difference = difference_of_draws(results.scores[2, _TURN.name], results.scores[0, _TURN.name], 0.95)
    rows = tuple(replace(row, difference=difference, search_questions=5) for row in results.rows[2:])
    said = _said(replace(results, rows=rows))
    assert (
        "† marks 2 differences without a test: questions of the benchmark have chosen one of the two prompts." in said
    )
    assert "Holm" not in said
    both = (replace(rows[0], search_questions=0, stays=True), rows[1])
    said = _said(replace(results, rows=both))
    assert (
        "There is one difference here: * marks it where its test leaves zero out. † marks 1 further difference" in said
    )
    assert [share.mark for share in shares(replace(results, rows=both), _TURN)] == [" *", " †"]


def test_a_row_has_one_gain_and_it_stays_on_the_scale(tmp_path: Path) -> None:
    results = _results(tmp_path)
    of_base = results.scores[0, _TURN.name]
    bounds = score_bounds(results.config.benchmarks[0].scoring, results.config.benchmarks[0].judge)
    rows = tuple(
        replace(row, difference=difference_of_draws(results.scores[at, _TURN.name], of_base, 0.95, bounds))
        for at, row in enumerate(results.rows)
    )
    results = replace(results, rows=rows)
    assert [share.gain for share in shares(results, _TURN)] == [row.difference for row in rows[2:]]
    gap = gap_of(results, _TURN)
    assert gap == rows[1].difference


def test_benchmarks_with_different_confidences_are_refused(tmp_path: Path) -> None:
    benchmark = toy_config(tmp_path).benchmarks[0].model_dump(mode="json")
    wider = benchmark | {"name": "other", "scoring": benchmark["scoring"] | {"confidence": 0.9}}
    with pytest.raises(InputError, match=r"'other' has scoring\.confidence 0\.9, 'toy' 0\.95; set the same"):
        toy_config(tmp_path, benchmarks=[benchmark, wider])


def test_the_csv_has_every_share_with_its_interval_and_says_that_the_models_are_toys(tmp_path: Path) -> None:
    results = _results(tmp_path)
    rows = list(csv.DictReader(csv_table(results, shares_by_measure(results)).splitlines()))
    by_condition = {row["condition"]: row for row in rows}
    for share in shares(results, _TURN):
        row = by_condition[str(share.condition["condition"])]
        assert share.share is not None
        told = [float(row[name]) for name in ("share", "share_low", "share_high", "share_questions")]
        assert told == pytest.approx([share.share.mean, share.share.low, share.share.high, 12])
    assert [by_condition[str(of["condition"])]["share"] for of in (BASE, TARGET)] == ["", ""]
    assert {row["toy"] for row in rows} == {"yes"}


def test_the_quickstarts_models_are_toys_whatever_a_config_says(tmp_path: Path) -> None:
    config = toy_config(tmp_path, toy=False)
    assert has_toys(config)
    own = config.model.model_copy(update={"name": str(tmp_path / "model")})
    assert not has_toys(config.model_copy(update={"model": own, "instruct": None}))
