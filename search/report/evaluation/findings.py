"""All that a report says of an evaluation, as values; how it looks is for others to decide."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from search.report.costs import costs_of, needed
from search.report.evaluation.side_by_side import VariantContrast, variant_contrasts
from search.report.lengths import LengthGuard, length_guard
from search.report.numbers import Numbers
from search.report.run_findings import RunFindings, failed_alike
from search.results.alpaca_eval import Place
from search.results.comparison import Result
from search.results.evaluation_results import EvaluationResults
from search.results.evaluation_status import EvaluationStatus, evaluation_status_of
from search.results.reviews import summarize_reviews
from search.statistics.estimates import Estimate, estimate
from search.statistics.intervals import Bounds, of_difference
from search.statistics.quantiles import of_student


@dataclass(frozen=True, slots=True)
class WinRates:
    """Win rates against AlpacaEval's baseline, in percent.

    Attributes:
        length_controlled: None where the official package cannot compute it.
        absent: why not.
    """

    plain: Estimate | None
    length_controlled: Estimate | None
    absent: str


@dataclass(frozen=True, slots=True)
class VariantScore:
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
class EvaluationFindings(RunFindings):
    """What one evaluation has found.

    Attributes:
        variants: those that are through, in their order; the others are compared with the first.
        missing: those that are not.
        contrasts: the questions on which they differ most.
    """

    results: EvaluationResults
    status: EvaluationStatus
    variants: tuple[VariantScore, ...]
    missing: tuple[str, ...]
    categories: tuple[CategoryScore, ...]
    contrasts: tuple[VariantContrast, ...]

    @property
    def first(self) -> VariantScore | None:
        return self.variants[0] if self.variants else None

    @property
    def others(self) -> tuple[VariantScore, ...]:
        """The variants that can be compared with the first."""
        return tuple(variant for variant in self.variants if variant.result.difference is not None)


def find_evaluation(results: EvaluationResults) -> EvaluationFindings:
    """Work everything out."""
    return EvaluationFindings(
        results=results,
        status=evaluation_status_of(results),
        numbers=Numbers.fitting([score for variant in results.variants.values() for score in variant.scores.values()]),
        variants=tuple(_variants(results)),
        missing=tuple(variant.name for variant in results.config.variants if variant.name not in results.variants),
        categories=tuple(_categories(results)),
        contrasts=variant_contrasts(results),
        costs=costs_of(results.ledger, results.run, results.spend, *_needed(results)),
        failures=failed_alike(results.failures),
        reviews=summarize_reviews(results),
    )


def _variants(results: EvaluationResults) -> Iterator[VariantScore]:
    places = {place.name: place for place in results.places}
    for result in results.compared:
        own, first = results.variants[result.name], results.variants[results.compared[0].name]
        place = places.get(result.name)
        yield VariantScore(
            name=result.name,
            result=result,
            length=own.mean_length(results.confidence),
            guard=length_guard(first, own, results.confidence) if result.difference is not None else None,
            win_rates=_win_rates(place, results.confidence) if place else None,
        )


def _win_rates(place: Place, confidence: float) -> WinRates:
    def rate(percent: float | None, error: float | None) -> Estimate | None:
        if percent is None:
            return None
        half = math.inf if error is None else of_student(place.n - 1, confidence) * error
        return Estimate(percent, percent - half, percent + half, place.n)

    plain = rate(place.win_rate, place.standard_error)
    return WinRates(plain, rate(place.length_controlled, place.length_controlled_error), place.absent)


def _categories(results: EvaluationResults) -> Iterator[CategoryScore]:
    """Scores by category, in the order of the questions; none where there is only one category."""
    if results.material is None:
        return
    of_question = {name: question.category for name, question in results.material.questions.items()}
    names = list(dict.fromkeys(of_question.values()))
    if len(names) < 2:
        return
    comparable = {result.name for result in results.compared if result.difference is not None}
    widest = of_difference(results.bounds)

    def mean(
        values: Mapping[str, float], category: str, bounds: Bounds | None, *, inside: bool = True
    ) -> Estimate | None:
        some = [value for name, value in values.items() if (of_question[name] == category) == inside]
        return estimate(some, results.confidence, bounds=bounds)

    for category in names:
        for name, own in results.variants.items():
            gains = own.gains(results.variants[results.compared[0].name]) if name in comparable else {}
            yield CategoryScore(
                category=category,
                variant=name,
                score=mean(own.scores, category, results.bounds),
                difference=mean(gains, category, widest),
                without=mean(gains, category, widest, inside=False),
            )


def _needed(results: EvaluationResults) -> tuple[int, int]:
    """Answers and verdicts behind all scores."""
    if results.material is None:
        return 0, 0
    asked = Counter(name for variant in results.variants.values() for name in variant.scores)
    return needed(results.config.scoring, results.material.questions, results.manifest.get("judge", ()), asked)
