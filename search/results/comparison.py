"""Several prompts on the same questions, side by side: every mean with its interval, differences in pairs."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from search.problem.trial import mean_of
from search.results.candidate_results import CandidateResults
from search.statistics.estimates import Estimate, estimate, paired_difference


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table.

    Attributes:
        score: over all questions; None when more failed than the config allows.
        difference: to the first variant, over the questions that both have scores for; None for the first, and
            where one of the two has no score.
        turns: by turn where several count; None for a turn that does not count.
        categories: by category, where the benchmark has some.
        length: mean length of the answers, in characters: a judge that likes long ones shows here.
        n, failed: questions with a score, and without.
    """

    name: str
    score: Estimate | None
    difference: Estimate | None
    turns: tuple[Estimate | None, ...]
    categories: Mapping[str, Estimate | None]
    length: float | None
    n: int
    failed: int

    def to_json(self) -> dict[str, Any]:
        """An infinite end of an interval is null."""
        return {
            "name": self.name,
            "score": self.score and self.score.to_json(),
            "difference": self.difference and self.difference.to_json(),
            "turns": [turn and turn.to_json() for turn in self.turns],
            "categories": {name: score and score.to_json() for name, score in self.categories.items()},
            "length": self.length,
            "n": self.n,
            "n_failed": self.failed,
        }


def compare(
    variants: Mapping[str, CandidateResults],
    categories: Mapping[str, str],
    confidence: float,
    max_failed_share: float,
) -> tuple[Result, ...]:
    """Return a line for each variant, in their order; the first one is what the others are compared with.

    Args:
        variants: results by name.
        categories: by question id; "" for none.
    """
    first = next(iter(variants.values()), None)
    return tuple(
        _result(name, variant, None if variant is first else first, categories, confidence, max_failed_share)
        for name, variant in variants.items()
    )


def _result(
    name: str,
    variant: CandidateResults,
    first: CandidateResults | None,
    categories: Mapping[str, str],
    confidence: float,
    max_failed_share: float,
) -> Result:
    def has_mean(results: CandidateResults) -> bool:
        return mean_of(results.scores, len(results.failures), max_failed_share) is not None

    paired = first is not None and has_mean(variant) and has_mean(first)
    return Result(
        name=name,
        score=variant.mean(confidence) if has_mean(variant) else None,
        difference=paired_difference(variant.scores, first.scores, confidence, variant.bounds)
        if first is not None and paired
        else None,
        turns=_by_turn(variant, confidence),
        categories=_by_category(variant, categories, confidence),
        length=fmean(variant.lengths.values()) if variant.lengths else None,
        n=len(variant.scores),
        failed=len(variant.failures),
    )


def _by_turn(variant: CandidateResults, confidence: float) -> tuple[Estimate | None, ...]:
    turns = max((len(scores) for scores in variant.turns.values()), default=0)
    return tuple(
        estimate([*variant.of_turn(turn).values()], confidence, bounds=variant.bounds) for turn in range(turns)
    )


def _by_category(
    variant: CandidateResults, categories: Mapping[str, str], confidence: float
) -> dict[str, Estimate | None]:
    names = sorted({*categories.values()})
    if len(names) < 2:
        return {}
    groups = {name: [score for key, score in variant.scores.items() if categories[key] == name] for name in names}
    return {name: estimate(scores, confidence, bounds=variant.bounds) for name, scores in groups.items()}
