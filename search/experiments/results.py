"""What an experiment's evaluations say: a row for each condition and measure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from configs.plural import show_many
from configs.schema.experiment import BenchmarkConfig, ExperimentConfig
from configs.score_bounds import score_bounds
from evaluators.ledger.queries import read_spend
from evaluators.ledger.spend import Spend
from evaluators.objective import Objective
from evaluators.pipeline.generation import ConversationTooLong
from search.experiments.cell import Condition, Hole
from search.experiments.common_questions import holes_without_common_question, notes_on_common_questions
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.grid import Grid
from search.experiments.paper import printed_figure
from search.experiments.places import ledger_of
from search.problem.trial import TOO_LONG, mean_of
from search.results.candidate_results import CandidateResults
from search.results.evaluation_results import EvaluationResults, read_evaluation_results
from search.run_directory.run import read_id
from search.statistics.draws import Difference, Draws, difference_of_draws, holm, mean_of_draws
from search.statistics.estimates import Estimate
from search.statistics.intervals import Bounds


@dataclass(frozen=True, slots=True)
class Measure:
    """One score of a benchmark, in a column or figure of its own.

    Attributes:
        name: for people, `MT-Bench turn 1`.
        turn: from 0; None for the benchmark's whole objective.
    """

    benchmark: str
    name: str
    turn: int | None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A condition by one measure.

    Attributes:
        draws: that have a mean.
        score: over questions and draws; None where no cell of the condition has a mean.
        difference: to the condition that it is compared with; None for that one itself.
        search_questions: that have chosen this prompt, or the one that it is compared with, and are in its score.
        stays: the difference stays when all of the table's are looked at together (Holm); None without one, and where
            search questions flatter it.
        failed: questions without a score, all draws together.
        length: mean length of the answers, in characters.
        printed: the paper's figure for this condition; None where it printed none.
    """

    condition: Condition
    measure: Measure
    draws: int
    score: Estimate | None
    difference: Difference | None
    stays: bool | None
    failed: int
    length: float | None
    printed: float | None
    search_questions: int = 0

    @property
    def mark(self) -> str:
        """What stands behind the difference: ` *` where it stays, ` †` where it is not tested."""
        return "" if self.difference is None else " †" if self.search_questions else " *" if self.stays else ""


@dataclass(frozen=True, slots=True)
class Paid:
    """What an experiment has paid for, its searches included; `dollars` is None where a price is not known."""

    generations: int
    verdicts: int
    dollars: float | None


@dataclass(frozen=True, slots=True)
class ExperimentResults:
    """What an experiment has measured so far.

    Attributes:
        prompted: numbers of the conditions that show a prompt to a model which was not trained for it.
        scores: by condition's number in the grid and by measure's name, what the rows are made of.
        categories: of questions, by id; benchmarks' ids may meet, their questions are then told apart by measure.
        paid: by everything in this directory.
        notes: sentences about single cells.
    """

    experiment: Experiment
    config: ExperimentConfig
    conditions: tuple[dict[str, str | int | float], ...]
    measures: tuple[Measure, ...]
    rows: tuple[ResultRow, ...]
    holes: tuple[Hole, ...]
    cells: int
    prompted: frozenset[int]
    scores: Mapping[tuple[int, str], Draws]
    categories: Mapping[str, Mapping[str, str]]
    found_sets: FoundSets
    paid: Paid
    notes: tuple[str, ...] = ()

    def row(self, condition: Condition, measure: Measure) -> ResultRow | None:
        """None where the condition has no row by this measure."""
        return next((row for row in self.rows if row.condition == condition and row.measure == measure), None)

    def bounds(self, measure: Measure) -> Bounds | None:
        """Lowest and highest score of the measure's benchmark; None where its config tells none."""
        benchmark = next(each for each in self.config.benchmarks if each.name == measure.benchmark)
        return score_bounds(benchmark.scoring, benchmark.judge)


def read_results(grid: Grid, found_sets: FoundSets, path: Path, notes: Sequence[str] = ()) -> ExperimentResults:
    """Read every benchmark's results in the directory `path` of an experiment."""
    measures: list[Measure] = []
    rows: list[ResultRow] = []
    holes, sentences = list(grid.holes), list(notes)
    scores: dict[tuple[int, str], Draws] = {}
    categories: dict[str, Mapping[str, str]] = {}
    for benchmark in grid.benchmarks:
        evaluation = _evaluation(path / benchmark.name)
        by_cell = evaluation.variants if evaluation else {}
        questions = evaluation.material.questions if evaluation and evaluation.material else {}
        not_asked = {record.name: record.not_asked for record in evaluation.records} if evaluation else {}
        holes += _too_many_failed(grid, benchmark, by_cell, not_asked)
        for measure in measures_of(benchmark):
            categories[measure.name] = {name: question.category for name, question in questions.items()}
            measures.append(measure)
            rows += _rows(grid, benchmark, measure, by_cell, scores)
            holes += holes_without_common_question(grid.conditions, scores, measure.name, benchmark.name)
            sentences += notes_on_common_questions(grid.conditions, scores, measure.name)
    return ExperimentResults(
        experiment=grid.experiment,
        config=grid.config,
        conditions=grid.conditions,
        measures=tuple(measures),
        rows=tuple(_with_holm(rows, grid)),
        holes=tuple(holes),
        cells=_that_ran(grid, holes),
        prompted=frozenset(grid.conditions.index(dict(cell.condition)) for cell in grid.cells if cell.is_prompted),
        scores=scores,
        categories=categories,
        found_sets=found_sets,
        paid=_paid(grid, found_sets, path),
        notes=tuple(sentences),
    )


def _that_ran(grid: Grid, holes: Sequence[Hole]) -> int:
    """How many cells have a mean on at least one benchmark."""
    names = {benchmark.name for benchmark in grid.benchmarks}
    empty = Counter(hole.name for hole in holes if hole.benchmark in names)
    return sum(empty[cell.name] < len(names) for cell in grid.cells)


def _evaluation(path: Path) -> EvaluationResults | None:
    """None where it has not begun."""
    return read_evaluation_results(path) if _began(path) else None


def measures_of(benchmark: BenchmarkConfig) -> list[Measure]:
    """A benchmark with several turns that count is shown turn by turn and on average."""
    objective, name = Objective.of(benchmark.scoring), benchmark.name
    counted = [turn for turn in range(objective.turns) if objective.counts(turn)]
    if len(counted) == 1:
        return [Measure(name, name if counted == [0] else f"{name} turn {counted[0] + 1}", None)]
    return [
        *(Measure(name, f"{name} turn {turn + 1}", turn) for turn in counted),
        Measure(name, f"{name} average", None),
    ]


def scores_by(outcome: CandidateResults, measure: Measure) -> dict[str, float]:
    """A variant's scores by question; failed questions are absent."""
    if measure.turn is None:
        return dict(outcome.scores)
    return outcome.of_turn(measure.turn)


def _has_mean(outcome: CandidateResults, benchmark: BenchmarkConfig) -> bool:
    return mean_of(outcome.scores, len(outcome.failures), benchmark.scoring.max_failed_share) is not None


def _too_many_failed(
    grid: Grid,
    benchmark: BenchmarkConfig,
    by_cell: Mapping[str, CandidateResults],
    not_asked: Mapping[str, str],
) -> Iterator[Hole]:
    for cell in grid.cells:
        outcome = by_cell.get(cell.name)
        if outcome is None:
            yield Hole(cell.condition, "not evaluated yet", cell.draw, benchmark.name)
        elif not _has_mean(outcome, benchmark):
            yield Hole(cell.condition, _why_no_mean(outcome, not_asked[cell.name]), cell.draw, benchmark.name)


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


def _rows(
    grid: Grid,
    benchmark: BenchmarkConfig,
    measure: Measure,
    by_cell: Mapping[str, CandidateResults],
    scores: dict[tuple[int, str], Draws],
) -> Iterator[ResultRow]:
    scale = score_bounds(benchmark.scoring, benchmark.judge)
    for number, condition in enumerate(grid.conditions):
        cells = [cell for cell in grid.cells if dict(cell.condition) == condition and cell.name in by_cell]
        usable = [cell for cell in cells if _has_mean(by_cell[cell.name], benchmark)]
        draws = {cell.draw or 0: scores_by(by_cell[cell.name], measure) for cell in usable}
        scores[number, measure.name] = draws
        first = _compared_with(grid, number)
        reference = scores[first, measure.name]
        confidence = benchmark.scoring.confidence
        failed = sum(len(by_cell[cell.name].failures) for cell in usable)
        difference = difference_of_draws(draws, reference, confidence, scale) if first != number and draws else None
        yield ResultRow(
            condition=condition,
            measure=measure,
            draws=len(draws),
            score=mean_of_draws(draws, confidence, failed, scale) if draws else None,
            difference=difference,
            stays=None,
            failed=failed,
            length=_length([by_cell[cell.name] for cell in usable]),
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


def _paid(grid: Grid, found_sets: FoundSets, path: Path) -> Paid:
    ledger = ledger_of(grid.config, path)
    spends = [
        read_spend(ledger, read_id(path / benchmark.name))
        for benchmark in grid.benchmarks
        if _began(path / benchmark.name)
    ]
    spends += [found_set.spend for found_set in found_sets.values()]
    total = sum(spends, Spend())
    return Paid(generations=total.generated, verdicts=total.judged, dollars=total.dollars)


def _began(path: Path) -> bool:
    return (path / "config.json").exists()
