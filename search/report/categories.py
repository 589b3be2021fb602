"""The gain by category, and what is left of it without each."""

from collections.abc import Mapping
from dataclasses import dataclass

from search.problem.candidate import Candidate
from search.problem.trial import Side
from search.results.candidate_results import CandidateResults
from search.results.search_results import SearchResults
from search.statistics.estimates import Estimate, estimate
from search.statistics.intervals import Bounds, of_difference


@dataclass(frozen=True, slots=True)
class CategoryScores:
    """Winner and base prompt on one category of one side.

    Attributes:
        without: the gain on all other categories of the side together; None where there is no other.
    """

    category: str
    side: Side
    base: Estimate | None
    winner: Estimate | None
    gain: Estimate | None
    without: Estimate | None


def category_scores(results: SearchResults, winner: Candidate) -> tuple[CategoryScores, ...]:
    """Held-out questions first; in the order of the questions. None where there is only one category."""
    if results.material is None or results.base is None:
        return ()
    categories = {question.id: question.category for question in results.material.questions.values()}
    if len(set(categories.values())) < 2:
        return ()
    rows: list[CategoryScores] = []
    for side in ("held_out", "search"):
        scored = results.side(side)
        if results.base in scored and winner in scored:
            rows += _of_side(side, scored[results.base], scored[winner], categories, results.confidence)
    return tuple(rows)


def _of_side(
    side: Side, base: CandidateResults, winner: CandidateResults, categories: Mapping[str, str], confidence: float
) -> list[CategoryScores]:
    gains = winner.gains(base)
    asked = dict.fromkeys(categories[name] for name in [*base.scores, *base.failures])

    def mean(
        values: Mapping[str, float], category: str, bounds: Bounds | None, *, inside: bool = True
    ) -> Estimate | None:
        some = [value for name, value in values.items() if (categories[name] == category) == inside]
        return estimate(some, confidence, bounds=bounds)

    widest = of_difference(base.bounds)

    return [
        CategoryScores(
            category=category,
            side=side,
            base=mean(base.scores, category, base.bounds),
            winner=mean(winner.scores, category, base.bounds),
            gain=mean(gains, category, widest),
            without=mean(gains, category, widest, inside=False),
        )
        for category in asked
    ]
