"""How far two judges agree on the same answers.

Krippendorff's alpha with the interval metric (Krippendorff 2011, "Computing Krippendorff's alpha-reliability"): 1 minus
the observed squared difference over the one expected were scores dealt out at random; 1 is agreement in full, 0 none
beyond chance. A judge that is only milder lowers it, so the shift is shown beside it. Ranks of candidates are compared
by Kendall's tau-b. Intervals are percentile bootstraps over questions, since answers to one question are not
independent; rejected: over answers, which gave intervals too narrow by the number of candidates.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
"""One row a question, one column a candidate, NaN where an answer has no score."""

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Agreement:
    """A figure of agreement with its interval; NaN where it cannot be told.

    Attributes:
        value: over all questions.
        low, high: interval over questions.
    """

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """What the command prints with --json; what cannot be told is null."""
        return {
            name: None if np.isnan(number) else number
            for name, number in (("value", self.value), ("low", self.low), ("high", self.high))
        }


def table(scores: Mapping[tuple[str, str], float], questions: Sequence[str], candidates: Sequence[str]) -> Scores:
    """Scores by (candidate, question) as a table."""
    return np.array(
        [[scores.get((candidate, question), np.nan) for candidate in candidates] for question in questions], dtype=float
    )


def krippendorff_alpha(first: Scores, second: Scores) -> float:
    """Agreement of two tables of equal shape, over the answers that both have scored."""
    both = ~np.isnan(first) & ~np.isnan(second)
    x, y = first[both], second[both]
    values = np.concatenate([x, y])
    if len(x) < 2 or np.ptp(values) == 0:
        return float("nan")
    expected = 2 * values.var(ddof=1)  # mean squared difference of two values drawn at random
    return float(1 - ((x - y) ** 2).mean() / expected)


def rank_agreement(first: Scores, second: Scores) -> float:
    """Kendall's tau-b of the candidates, each pair by its mean difference on the questions that both have met."""
    both = ~np.isnan(first) & ~np.isnan(second)
    sums = (np.where(both, scores, 0).T @ both for scores in (first, second))  # [candidate, candidate]: on shared ones
    dx, dy = (np.sign(np.round(x - x.T, 9)) for x in sums)
    ties = np.sqrt((dx != 0).sum() * (dy != 0).sum())
    return float((dx * dy).sum() / ties) if ties else float("nan")


def with_interval(
    figure: Callable[[Scores, Scores], float], first: Scores, second: Scores, confidence: float, seed: int = 0
) -> Agreement:
    """A figure with its percentile bootstrap interval over questions (rows)."""
    random, rows = np.random.default_rng(seed), len(first)
    drawn = []
    for _ in range(RESAMPLES if rows > 1 else 0):
        picked = random.integers(rows, size=rows)
        drawn.append(figure(first[picked], second[picked]))
    values = np.array([value for value in drawn if not np.isnan(value)])
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail]) if len(values) else (np.nan, np.nan)
    return Agreement(figure(first, second), float(low), float(high))
