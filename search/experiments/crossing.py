"""The n at which fine-tuning overtakes the same examples in the prompt, with its interval."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from configs.plural import show_many
from search.experiments.cell import Label
from search.experiments.icl_vs_finetuning import EXPERIMENT, ICL
from search.experiments.results import ExperimentResults, Measure
from search.statistics.crossing import BELOW, BEYOND, Crossing, crossing
from search.statistics.draws import Draws
from search.statistics.intervals import Bounds


@dataclass(frozen=True, slots=True)
class MethodCrossing:
    """The crossing of one kind of fine-tuning, by one measure.

    Attributes:
        crossing: None where fewer than two n have both curves.
        failed: questions without a score, of all n and draws of both curves together.
    """

    method: str
    measure: Measure
    crossing: Crossing | None
    failed: int


def crossings(results: ExperimentResults, measure: Measure) -> list[MethodCrossing]:
    """One for each kind of fine-tuning; none in other experiments."""
    if results.experiment.name != EXPERIMENT.name:
        return []
    curves = _curves(results, measure)
    confidence = results.config.confidence
    all_crossings = []
    for name, curve in curves.items():
        before, comma, kind = name.rpartition(", ")  # the source of the examples
        if kind.startswith("fine-tuned"):
            in_context = f"{before}{comma}{ICL}"
            overtaking = _crossing(curves.get(in_context, {}), curve, confidence, results.bounds(measure))
            all_crossings.append(
                MethodCrossing(name, measure, overtaking, _failed(results, measure, (in_context, name)))
            )
    return all_crossings


def _curves(results: ExperimentResults, measure: Measure) -> dict[str, dict[int, Draws]]:
    """Curves by the kind of examples and by n; holes are absent."""
    curves: dict[str, dict[int, Draws]] = {}
    for number, condition in enumerate(results.conditions):
        curve = curves.setdefault(str(condition["examples"]), {})
        draws = results.scores.get((number, measure.name))
        if draws:
            curve[int(condition["n"])] = draws
    return curves


def _failed(results: ExperimentResults, measure: Measure, kinds: Container[Label]) -> int:
    return sum(row.failed for row in results.rows if row.measure == measure and row.condition["examples"] in kinds)


def _crossing(
    first: Mapping[int, Draws], second: Mapping[int, Draws], confidence: float, bounds: Bounds | None
) -> Crossing | None:
    counts = sorted(first.keys() & second.keys())
    if len(counts) < 2:
        return None
    tables = [curve[count] for curve in (first, second) for count in counts]
    draws = [number for number in tables[0] if all(number in table for table in tables)]
    if not draws:
        return None
    names = [name for name in tables[0][draws[0]] if all(name in table[number] for table in tables for number in draws)]
    if not names:
        return None
    arrays = [
        np.array([[[curve[count][number][name] for name in names] for count in counts] for number in draws])
        for curve in (first, second)
    ]
    return crossing(counts, arrays[0], arrays[1], confidence, bounds)


def sentences(results: ExperimentResults) -> Iterator[str]:
    """What is to be said of each curve."""
    for measure in results.measures:
        for curve in crossings(results, measure):
            yield f"{measure.name}, {curve.method}: {_in_words(curve.crossing, curve.failed)}"


def to_json(results: ExperimentResults) -> list[Mapping[str, object]]:
    """Every crossing by measure and kind of fine-tuning, for scripts; `below` and `beyond` stand for an end outside the
    range that was looked at."""
    return [
        {
            "measure": measure.name,
            "method": curve.method,
            "n_failed": curve.failed,
            **({} if curve.crossing is None else _as_json(curve.crossing)),
        }
        for measure in results.measures
        for curve in crossings(results, measure)
    ]


def _as_json(overtaking: Crossing) -> Mapping[str, str | float]:
    spelled = {BELOW: "below", BEYOND: "beyond"}
    ends = {"at": overtaking.at, "low": overtaking.low, "high": overtaking.high}
    return {name: spelled.get(value, value) for name, value in ends.items()} | {
        "questions": overtaking.questions,
        "draws": overtaking.draws,
    }


def _in_words(overtaking: Crossing | None, failed: int) -> str:
    if overtaking is None:
        return (
            "no crossing can be told, since fewer than two n, or no draw of all n, have scores both in context and "
            "fine-tuned."
        )
    between = f"between n = {overtaking.first:,.0f} and n = {overtaking.last:,.0f}"
    if overtaking.at == BELOW:
        place = f"no crossing {between}: fine-tuning lies above the examples in context everywhere"
    elif overtaking.at == BEYOND:
        place = f"no crossing {between}: fine-tuning has not overtaken the examples in context there"
    else:
        place = f"fine-tuning overtakes the examples in context at n = {overtaking.at:,.1f}"
    low, high = _end(overtaking.low, overtaking), _end(overtaking.high, overtaking)
    return (
        f"{place}; interval from {low} to {high} ({show_many(overtaking.questions, 'question')}, "
        f"{show_many(overtaking.draws, 'draw')}; "
        f"{show_many(failed, 'answer')} failed)."
    )


def _end(value: float, overtaking: Crossing) -> str:
    if value == BELOW:
        return f"below {overtaking.first:,.0f}"
    return f"beyond {overtaking.last:,.0f}" if value == BEYOND else f"{value:,.1f}"
