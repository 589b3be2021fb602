"""What an experiment has measured: a row for each condition and measure."""

from collections.abc import Mapping
from dataclasses import dataclass

from configs.schema.experiment import BenchmarkConfig, ExperimentConfig
from configs.score_bounds import score_bounds
from evaluators.ledger.spend import Spend
from evaluators.objective import Objective
from search.experiments.cell import Condition, Hole
from search.experiments.experiment import Experiment, FoundSets
from search.statistics.draws import Difference, Draws
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
class ExperimentResults:
    """What an experiment has measured so far.

    Attributes:
        prompted: numbers of the conditions that show a prompt to a model which was not trained for it.
        scores: by condition's number in the grid and by measure's name, what the rows are made of.
        categories: of questions, by id; benchmarks' ids may meet, their questions are then told apart by measure.
        spend: of everything in this directory, its searches included.
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
    spend: Spend
    notes: tuple[str, ...] = ()

    def row(self, condition: Condition, measure: Measure) -> ResultRow | None:
        """None where the condition has no row by this measure."""
        return next((row for row in self.rows if row.condition == condition and row.measure == measure), None)

    def bounds(self, measure: Measure) -> Bounds | None:
        """Lowest and highest score of the measure's benchmark; None where its config tells none."""
        benchmark = next(each for each in self.config.benchmarks if each.name == measure.benchmark)
        return score_bounds(benchmark.scoring, benchmark.judge)


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
