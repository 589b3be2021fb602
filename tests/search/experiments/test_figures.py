"""What figures show where ours is a hole, and how their axes run."""

from pathlib import Path
from typing import Any

import pytest

from evaluators.ledger.spend import Spend
from search.experiments.catalogue import experiment_named
from search.experiments.cell import Condition
from search.experiments.figures import pictures
from search.experiments.gap import shares_by_measure
from search.experiments.results import ExperimentResults, Measure, ResultRow
from search.experiments.sufficient import BASE, TARGET
from search.report.drawing import Picture
from search.statistics.draws import mean_of_draws
from tests.search.experiments.toy import toy_config

pytestmark = pytest.mark.heavy

_TURN = Measure("toy", "toy turn 1", 0)
_HOLE = 7.25
"""The paper's figure of the condition that has no score here."""


def _results(folder: Path, name: str, conditions: list[Condition], hole: Condition) -> ExperimentResults:
    """Scores from 4 on, the paper's 5 beside the first and 9 beside the others; and a hole with the paper's figure."""
    scores = {
        (at, _TURN.name): {1: {f"q{number}": 4.0 + at + number % 3 for number in range(12)}}
        for at in range(len(conditions))
    }
    rows = [
        ResultRow(of, _TURN, 1, mean_of_draws(scores[at, _TURN.name], 0.95), None, None, 0, None, 9.0 if at else 5.0)
        for at, of in enumerate(conditions)
    ]
    rows.insert(1, ResultRow(hole, _TURN, 0, None, None, None, 0, None, _HOLE))
    return ExperimentResults(
        experiment=experiment_named(name),
        config=toy_config(folder),
        conditions=(*(dict(of) for of in conditions), dict(hole)),
        measures=(_TURN,),
        rows=tuple(rows),
        holes=(),
        cells=len(conditions),
        prompted=frozenset(),
        scores=scores,
        categories={_TURN.name: {}},
        found_sets={},
        spend=Spend(),
    )


_KIND: dict[str, tuple[list[Condition], Condition]] = {
    "many_shot": ([{"examples": "random", "n": 3}, {"examples": "random", "n": 10}], {"examples": "random", "n": 50}),
    "aligned": ([{"pair": "a", "asked": "instruct"}, {"pair": "b", "asked": "instruct"}], {"pair": "c", "asked": "x"}),
    "transfer": ([{"set": "a", "model": "m"}, {"set": "b", "model": "m"}], {"set": "c", "model": "m"}),
    "sufficient": ([BASE, TARGET, {"experiment": "e", "condition": "a"}], {"experiment": "e", "condition": "b"}),
}


def _drawn(results: ExperimentResults) -> list[Picture]:
    return pictures(results, shares_by_measure(results))


@pytest.mark.parametrize("name", _KIND)
def test_the_papers_figure_is_drawn_where_ours_is_a_hole(name: str, tmp_path: Path) -> None:
    (picture,) = _drawn(_results(tmp_path, name, *_KIND[name]))
    shown: list[Any] = []
    for trace in picture.figure.data:
        shown += [*(trace.x or ()), *(trace.y or ()), *(() if trace.type == "heatmap" else trace.text or ())]
    assert {_HOLE, "(7.25)", (_HOLE - 5) / 4} & {*shown}


def test_no_figure_is_drawn_where_nothing_of_ours_has_a_score(tmp_path: Path) -> None:
    assert not _drawn(_results(tmp_path, "aligned", [], {"pair": "a", "asked": "instruct"}))


def test_the_axis_of_fine_tuning_is_logarithmic_and_has_a_place_for_no_examples(tmp_path: Path) -> None:
    conditions: list[Condition] = [{"examples": "none", "n": 0}, {"examples": "in context", "n": 3}]
    results = _results(tmp_path, "icl_vs_finetuning", conditions, {"examples": "in context", "n": 4000})
    (picture,) = _drawn(results)
    axis = picture.figure.layout.xaxis
    assert axis.type == "log"
    assert dict(zip(axis.ticktext, axis.tickvals, strict=True)) == {"0": 1.5, "3": 3, "4,000": 4000}
