"""Reads what an experiment's evaluations say so far."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from configs.plural import show_many
from configs.schema.experiment import BenchmarkConfig
from configs.score_bounds import score_bounds
from evaluators.ledger.queries import read_spend
from evaluators.ledger.spend import Spend
from evaluators.pipeline.generation import ConversationTooLong
from search.experiments.cell import Cell, Hole
from search.experiments.common_questions import Scores, holes_without_common_question, notes_on_common_questions
from search.experiments.experiment import FoundSets
from search.experiments.grid import Grid
from search.experiments.paper import printed_figure
from search.experiments.places import ledger_of
from search.experiments.results import ExperimentResults, Measure, ResultRow, measures_of
from search.problem.trial import TOO_LONG, mean_of
from search.results.candidate_results import CandidateResults
from search.results.evaluation_results import read_evaluation_results
from search.run_directory.files import holds_run
from search.run_directory.run import read_id
from search.statistics.draws import Draws, difference_of_draws, holm, mean_of_draws


@dataclass(frozen=True, slots=True)
class _Answered:
    """What a benchmark's evaluation says so far: nothing where it has not begun.

    Attributes:
        outcomes: by name of the cell.
        categories: of questions, by id.
        not_asked: why a cell was not put to the benchmark, by its name; empty where it was.
    """

    benchmark: BenchmarkConfig
    outcomes: Mapping[str, CandidateResults]
    categories: Mapping[str, str]
    not_asked: Mapping[str, str]

    def has_mean(self, cell: Cell) -> bool:
        outcome = self.outcomes.get(cell.name)
        if outcome is None:
            return False
        most = self.benchmark.scoring.max_failed_share
        return mean_of(outcome.scores, len(outcome.failures), most) is not None


def read_results(grid: Grid, found_sets: FoundSets, path: Path, notes: Sequence[str] = ()) -> ExperimentResults:
    """Read every benchmark's results in the directory `path` of an experiment."""
    answered = [_answered(benchmark, path / benchmark.name) for benchmark in grid.benchmarks]
    numbers = range(len(grid.conditions))
    measured = [(measure, each) for each in answered for measure in measures_of(each.benchmark)]
    scores = {
        (number, measure.name): _draws(_with_mean(grid, number, each), measure, each)
        for measure, each in measured
        for number in numbers
    }
    rows = [_row(grid, number, measure, each, scores) for measure, each in measured for number in numbers]
    holes = [*grid.holes, *(hole for each in answered for hole in _holes(grid, each, scores))]
    for measure, _ in measured:
        notes = [*notes, *notes_on_common_questions(grid.conditions, scores, measure.name)]
    return ExperimentResults(
        experiment=grid.experiment,
        config=grid.config,
        conditions=grid.conditions,
        measures=tuple(measure for measure, _ in measured),
        rows=tuple(_with_holm(rows, grid)),
        holes=tuple(holes),
        cells=_that_ran(grid, holes),
        prompted=frozenset(grid.conditions.index(dict(cell.condition)) for cell in grid.cells if cell.is_prompted),
        scores=scores,
        categories={measure.name: each.categories for measure, each in measured},
        found_sets=found_sets,
        spend=_spend(grid, found_sets, path),
        notes=tuple(notes),
    )


def _answered(benchmark: BenchmarkConfig, path: Path) -> _Answered:
    if not holds_run(path):
        return _Answered(benchmark, {}, {}, {})
    evaluation = read_evaluation_results(path)
    questions = evaluation.material.questions if evaluation.material else {}
    return _Answered(
        benchmark,
        evaluation.variants,
        {name: question.category for name, question in questions.items()},
        {record.name: record.not_asked for record in evaluation.records},
    )


def _that_ran(grid: Grid, holes: Sequence[Hole]) -> int:
    """How many cells have a mean on at least one benchmark."""
    names = {benchmark.name for benchmark in grid.benchmarks}
    empty = Counter(hole.name for hole in holes if hole.benchmark in names)
    return sum(empty[cell.name] < len(names) for cell in grid.cells)


def _holes(grid: Grid, answered: _Answered, scores: Scores) -> Iterator[Hole]:
    name = answered.benchmark.name
    for cell in grid.cells:
        outcome = answered.outcomes.get(cell.name)
        if outcome is None:
            yield Hole(cell.condition, "not evaluated yet", cell.draw, name)
        elif not answered.has_mean(cell):
            yield Hole(cell.condition, _why_no_mean(outcome, answered.not_asked[cell.name]), cell.draw, name)
    for measure in measures_of(answered.benchmark):
        yield from holes_without_common_question(grid.conditions, scores, measure.name, name)


def _why_no_mean(outcome: CandidateResults, not_asked: str) -> str:
    if not_asked:
        return not_asked
    causes = sorted({*outcome.failures.values()})
    total = len(outcome.failures) + len(outcome.scores)
    if causes == [TOO_LONG]:
        return "context too short: the model refused a prompt as too long"
    if {*causes} <= {TOO_LONG, ConversationTooLong.__name__}:
        return (
            f"context too short: {len(outcome.failures):,} of {show_many(total, 'question does', 'questions do')} not "
            "fit with the answers so far"
        )
    return f"{len(outcome.failures):,} of {show_many(total, 'question')} failed ({'; '.join(causes[:3])})"


def _with_mean(grid: Grid, number: int, answered: _Answered) -> list[Cell]:
    """The draws of a condition that count."""
    condition = grid.conditions[number]
    return [cell for cell in grid.cells if dict(cell.condition) == condition and answered.has_mean(cell)]


def _draws(cells: Sequence[Cell], measure: Measure, answered: _Answered) -> Draws:
    """Each draw's scores by question; failed questions are absent."""
    outcomes = {cell.draw or 0: answered.outcomes[cell.name] for cell in cells}
    turn = measure.turn
    return {draw: dict(outcome.scores) if turn is None else outcome.of_turn(turn) for draw, outcome in outcomes.items()}


def _row(grid: Grid, number: int, measure: Measure, answered: _Answered, scores: Scores) -> ResultRow:
    condition, benchmark = grid.conditions[number], answered.benchmark
    scale, confidence = score_bounds(benchmark.scoring, benchmark.judge), benchmark.scoring.confidence
    outcomes = [answered.outcomes[cell.name] for cell in _with_mean(grid, number, answered)]
    failed = sum(len(outcome.failures) for outcome in outcomes)
    first = _compared_with(grid, number)
    draws, reference = scores[number, measure.name], scores[first, measure.name]
    return ResultRow(
        condition=condition,
        measure=measure,
        draws=len(draws),
        score=mean_of_draws(draws, confidence, failed, scale) if draws else None,
        difference=difference_of_draws(draws, reference, confidence, scale) if first != number and draws else None,
        stays=None,
        failed=failed,
        length=_length(outcomes),
        printed=printed_figure(grid.experiment.name, grid.config.paper_model, condition, measure.name),
        search_questions=len(_chosen_by(grid, {number, first}).intersection(*draws.values())) if draws else 0,
    )


def _chosen_by(grid: Grid, conditions: set[int]) -> frozenset[str]:
    """Search questions that have chosen what these conditions show."""
    asked = [cell for cell in grid.cells if grid.conditions.index(dict(cell.condition)) in conditions]
    return frozenset[str]().union(*(cell.chosen_by for cell in asked))


def _compared_with(grid: Grid, number: int) -> int:
    """The experiment's reference, or the first condition that agrees in the labels that a comparison stays within."""
    within, condition = grid.experiment.within, grid.conditions[number]
    reference = grid.experiment.reference
    if reference is not None and (compared := reference.condition(grid.config, condition)) is not None:
        return grid.conditions.index(dict(compared))
    return next(
        at
        for at, other in enumerate(grid.conditions)
        if all(other.get(label) == condition.get(label) for label in within)
    )


def _length(outcomes: Sequence[CandidateResults]) -> float | None:
    lengths = [length for outcome in outcomes for length in outcome.lengths.values()]
    return sum(lengths) / len(lengths) if lengths else None


def _with_holm(rows: Sequence[ResultRow], grid: Grid) -> Iterator[ResultRow]:
    tested = [row.difference.p_value for row in rows if row.difference and not row.search_questions]
    stays = iter(holm(tested, 1 - grid.config.confidence))
    for row in rows:
        yield replace(row, stays=next(stays)) if row.difference and not row.search_questions else row


def _spend(grid: Grid, found_sets: FoundSets, path: Path) -> Spend:
    ledger = ledger_of(grid.config, path)
    spends = [
        read_spend(ledger, read_id(path / benchmark.name))
        for benchmark in grid.benchmarks
        if holds_run(path / benchmark.name)
    ]
    return sum([*spends, *(found_set.spend for found_set in found_sets.values())], Spend())
