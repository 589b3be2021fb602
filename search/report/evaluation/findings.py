"""All that a report says of an evaluation, as values; how it looks is for others to decide."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scipy.special import stdtrit

from evaluators.ledger.queries import read_failures
from evaluators.objective import Objective
from search.report.costs import Costs, costs_of
from search.report.evaluation.side_by_side import Contest, contests
from search.report.findings import FailedAlike, failed_alike
from search.report.lengths import LengthGuard, length_guard
from search.report.numbers import Numbers
from search.results.alpaca_eval import Place
from search.results.comparison import Result
from search.results.evaluation_results import EvaluationResults, told
from search.results.evaluation_status import EvaluationStatus
from search.results.journal_results import CandidateResults
from search.run_directory.run import read_id
from search.statistics.estimates import Estimate, estimate
from search.statistics.intervals import Bounds, of_difference


@dataclass(frozen=True, slots=True)
class WinRates:
    """Against AlpacaEval's baseline, in percent.

    Attributes:
        length_controlled: None where the official package cannot compute it.
        absent: why not.
    """

    plain: Estimate | None
    length_controlled: Estimate | None
    absent: str


@dataclass(frozen=True, slots=True)
class ContestantScore:
    """One variant that is through.

    Attributes:
        length: of its answers, in characters.
        guard: its lengths beside the first variant's; None for that one, and without lengths.
        win_rates: None where another judge has judged.
    """

    name: str
    result: Result
    length: Estimate | None
    guard: LengthGuard | None
    win_rates: WinRates | None


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """One variant on one category.

    Attributes:
        difference: to the first variant, paired; None for that one.
        without: the difference on all other categories together.
    """

    category: str
    variant: str
    score: Estimate | None
    difference: Estimate | None
    without: Estimate | None


@dataclass(frozen=True, slots=True)
class EvaluationFindings:
    """What one evaluation has found.

    Attributes:
        variants: those that are through, in their order; the others are compared with the first.
        missing: those that are not.
        contests: the questions on which they differ most.
    """

    results: EvaluationResults
    numbers: Numbers
    variants: tuple[ContestantScore, ...]
    missing: tuple[str, ...]
    categories: tuple[CategoryScore, ...]
    contests: tuple[Contest, ...]
    costs: Costs
    failures: tuple[FailedAlike, ...]

    @property
    def status(self) -> EvaluationStatus:
        return self.results.status

    @property
    def first(self) -> ContestantScore | None:
        return self.variants[0] if self.variants else None

    @property
    def others(self) -> tuple[ContestantScore, ...]:
        """Those that can be compared with the first."""
        return tuple(one for one in self.variants if one.result.difference is not None)


def find_evaluation(results: EvaluationResults) -> EvaluationFindings:
    """Work everything out."""
    variants = tuple(_variants(results))
    through = {one.name for one in variants}
    return EvaluationFindings(
        results=results,
        numbers=Numbers.fitting(score for one in results.outcomes for score in one.scores.values()),
        variants=variants,
        missing=tuple(one.name for one in results.config.variants if one.name not in through),
        categories=tuple(_categories(results)),
        contests=contests(results),
        costs=_costs(results),
        failures=failed_alike(read_failures(results.ledger, read_id(results.path))),
    )


def _variants(results: EvaluationResults) -> Iterator[ContestantScore]:
    places = {one.name: one for one in results.status.places}
    all_told = {one.name: told(one) for one in results.outcomes}
    for result in results.status.results:
        own, first = all_told[result.name], all_told[results.outcomes[0].name]
        place = places.get(result.name)
        yield ContestantScore(
            name=result.name,
            result=result,
            length=estimate([*own.lengths.values()], results.confidence),
            guard=length_guard(first, own, results.confidence) if result.difference is not None else None,
            win_rates=_win_rates(place, results.confidence) if place else None,
        )


def _win_rates(place: Place, confidence: float) -> WinRates:
    def rate(percent: float | None, error: float | None) -> Estimate | None:
        if percent is None:
            return None
        half = math.inf if error is None else float(stdtrit(place.n - 1, (1 + confidence) / 2)) * error
        return Estimate(percent, percent - half, percent + half, place.n)

    plain = rate(place.win_rate, place.standard_error)
    return WinRates(plain, rate(place.length_controlled, place.length_controlled_error), place.absent)


def _categories(results: EvaluationResults) -> Iterator[CategoryScore]:
    """In the order of the questions; none where there is only one category."""
    if results.material is None:
        return
    of_question = {name: one.category for name, one in results.material.questions.items()}
    names = list(dict.fromkeys(of_question.values()))
    if len(names) < 2:
        return
    comparable = {one.name for one in results.status.results if one.difference is not None}
    all_told, widest = {one.name: told(one) for one in results.outcomes}, of_difference(results.bounds)

    def mean(
        values: Mapping[str, float], category: str, bounds: Bounds | None, *, inside: bool = True
    ) -> Estimate | None:
        some = [value for name, value in values.items() if (of_question[name] == category) == inside]
        return estimate(some, results.confidence, bounds=bounds)

    for category in names:
        for name, own in all_told.items():
            gains = own.gains(_first(all_told)) if name in comparable else {}
            yield CategoryScore(
                category=category,
                variant=name,
                score=mean(own.scores, category, results.bounds),
                difference=mean(gains, category, widest),
                without=mean(gains, category, widest, inside=False),
            )


def _first(all_told: Mapping[str, CandidateResults]) -> CandidateResults:
    return next(iter(all_told.values()))


def _costs(results: EvaluationResults) -> Costs:
    return costs_of(results.ledger, read_id(results.path), results.status.spend, *_needed(results))


def _needed(results: EvaluationResults) -> tuple[int, int]:
    """Answers and verdicts behind all scores."""
    objective = Objective.of(results.config.scoring)
    answers = [len(one.answers[name]) for one in results.outcomes for name in one.scores]
    each = sum(repeats for _, _, repeats, _ in results.manifest.get("judge", ()))
    return sum(answers), each * sum(objective.counts(turn) for turns in answers for turn in range(turns))
