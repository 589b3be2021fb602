"""The crossing of figure 5, as the page tells it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluators.ledger.spend import Spend
from search.experiments.catalogue import experiment_named
from search.experiments.crossing import crossings, sentences, to_json
from search.experiments.icl_vs_finetuning import EXPERIMENT, ICL
from search.experiments.results import ExperimentResults, Measure, ResultRow
from search.experiments.setting import Setting
from search.statistics.draws import mean_of_draws
from tests.search.experiments.toy import QUICKSTART, toy_config

pytestmark = pytest.mark.heavy

_TURN = Measure("toy", "toy turn 1", 0)
_COUNTS = (3, 10, 30)


def _results(folder: Path, finetuned: dict[int, float]) -> ExperimentResults:
    """Two draws of twelve questions: 5 in context whatever n, these means fine-tuned."""
    random = np.random.default_rng(0)
    conditions, scores = list[dict[str, str | int | float]](), {}
    for name, means in ((ICL, dict.fromkeys(_COUNTS, 5.0)), ("fine-tuned (full)", finetuned)):
        for count, mean in means.items():
            draws = {draw: {f"q{at}": mean + random.normal(0, 0.5) for at in range(12)} for draw in (1, 2)}
            scores[len(conditions), _TURN.name] = draws
            conditions.append({"examples": name, "n": count})
    rows = [
        ResultRow(condition, _TURN, 2, mean_of_draws(scores[number, _TURN.name], 0.95), None, None, 0, None, None)
        for number, condition in enumerate(conditions)
    ]
    return ExperimentResults(
        experiment=experiment_named("icl_vs_finetuning"),
        config=toy_config(folder),
        conditions=tuple(conditions),
        measures=(_TURN,),
        rows=tuple(rows),
        holes=(),
        cells=len(rows),
        prompted=frozenset(),
        scores=scores,
        categories={},
        found_sets={},
        spend=Spend(),
    )


def test_examples_of_another_source_have_cells_and_a_crossing_of_their_own(tmp_path: Path) -> None:
    evol = {"name": "Evol-Instruct", "pool": {"path": str(QUICKSTART / "pool.jsonl"), "id_field": "id"}}
    group = {"counts": [3], "draws": 1, "methods": ["full"], "further_pools": [evol]}
    cells = EXPERIMENT.cells(Setting(toy_config(tmp_path, icl_vs_finetuning=group)), {})
    kinds = [ICL, "fine-tuned (full)"]
    named = [f"Evol-Instruct, {kind}" for kind in kinds]
    assert [cell.condition["examples"] for cell in cells] == ["none", *kinds, *named, "instruct model"]
    results = _results(tmp_path, {3: 4.0, 10: 4.5, 30: 6.0})
    renamed = tuple({**of, "examples": f"Evol-Instruct, {of['examples']}"} for of in results.conditions)
    (own,), (other,) = crossings(results, _TURN), crossings(replace(results, conditions=renamed), _TURN)
    assert other == replace(own, method="Evol-Instruct, fine-tuned (full)")


def test_the_crossing_is_told_with_its_interval_and_drawn(tmp_path: Path) -> None:
    from search.experiments.figures import pictures  # noqa: PLC0415 -- plotly

    results = _results(tmp_path, {3: 4.0, 10: 4.5, 30: 6.0})
    (found_sets,) = crossings(results, _TURN)
    assert found_sets.crossing is not None
    assert 10 < found_sets.crossing.at < 30
    (told,) = sentences(results)
    assert told.startswith("toy turn 1, fine-tuned (full): fine-tuning overtakes the examples in context at n = ")
    assert "interval from " in told
    assert "(12 questions, 2 draws; 0 answers failed)" in told
    (stored,) = to_json(results)
    assert stored["at"] == found_sets.crossing.at
    assert (stored["questions"], stored["draws"]) == (12, 2)
    (picture,) = pictures(results, {})
    assert any(shape.type == "line" and shape.x0 == found_sets.crossing.at for shape in picture.figure.layout.shapes)


@pytest.mark.parametrize(
    ("finetuned", "told"),
    [
        ({3: 3.0, 10: 3.0, 30: 3.0}, "no crossing between n = 3 and n = 30: fine-tuning has not overtaken"),
        ({3: 7.0, 10: 7.0, 30: 7.0}, "no crossing between n = 3 and n = 30: fine-tuning lies above"),
        ({3: 7.0}, "no crossing can be told"),
    ],
)
def test_no_crossing_inside_the_range_is_an_answer(finetuned: dict[int, float], told: str, tmp_path: Path) -> None:
    results = _results(tmp_path, finetuned)
    assert told in next(iter(sentences(results)))
    assert next(iter(to_json(results))).get("at") in {"below", "beyond", None}


def test_no_crossing_can_be_told_where_no_draw_has_scores_at_every_n(tmp_path: Path) -> None:
    results = _results(tmp_path, {3: 4.0, 10: 4.5, 30: 6.0})
    scores = {
        key: {draw: values for draw, values in draws.items() if draw == 1 + (results.conditions[key[0]]["n"] == 10)}
        for key, draws in results.scores.items()
    }
    (sentence,) = sentences(replace(results, scores=scores))
    assert "no crossing can be told" in sentence
