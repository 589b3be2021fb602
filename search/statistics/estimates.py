"""The statistics of this engine, with the question as the unit of everything.

Scores of two candidates on the same questions share the questions' difficulty; that is why candidates are compared by
paired differences. An interval speaks of other questions of the same kind, for this model and this judge.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.statistics.intervals import Bounds, mean_interval, of_difference
from search.statistics.quantiles import of_student


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its interval.

    Attributes:
        mean: on the judge's scale.
        low, high: interval over questions (`search.statistics.intervals`); infinite for a single question on a scale
            without known ends.
        n: questions it rests on, >= 1.
        failed: questions that failed and are in no mean.
    """

    mean: float
    low: float
    high: float
    n: int
    failed: int = 0

    @property
    def has_no_width(self) -> bool:
        """Whether several equal scores, on a scale whose ends are not known, leave the interval no width: then it says
        nothing."""
        return self.n > 1 and self.low == self.high

    def inside(self, bounds: Bounds | None) -> "Estimate":
        """The same with its interval inside the scale, where that has ends."""
        if bounds is None:
            return self
        return replace(self, low=max(bounds[0], self.low), high=min(bounds[1], self.high))

    def to_json(self) -> dict[str, float | int | None]:
        """What the commands print with --json; an infinite end is null."""
        return {
            "mean": self.mean,
            "low": self.low if math.isfinite(self.low) else None,
            "high": self.high if math.isfinite(self.high) else None,
            "n": self.n,
            "n_failed": self.failed,
        }


def estimate(
    scores: Sequence[float] | NDArray[np.float64], confidence: float, failed: int = 0, bounds: Bounds | None = None
) -> Estimate | None:
    """Return the mean of scores on `len(scores)` questions with its interval; None without any.

    Args:
        bounds: lowest and highest score there can be; None where that is not known.
    """
    values = np.asarray(scores, dtype=float)
    if not len(values):
        return None
    low, high = mean_interval(values, confidence, bounds)
    return Estimate(float(values.mean()), low, high, len(values), failed)


def paired_difference(
    first: Mapping[str, float], second: Mapping[str, float], confidence: float, bounds: Bounds | None = None
) -> Estimate | None:
    """Return the mean of `first - second` over the questions that both have scores for, with its interval; `bounds` as
    `estimate` takes them."""
    common = [question for question in first if question in second]
    differences = [first[question] - second[question] for question in common]
    return estimate(differences, confidence, bounds=of_difference(bounds))


def unpaired_difference(
    first: Sequence[float], second: Sequence[float], confidence: float, bounds: Bounds | None = None
) -> Estimate | None:
    """Mean of `first` minus mean of `second`, values on different questions, with Welch's t interval; None where one of
    them is empty. `n` counts the questions of both; `bounds` are of the values, as `estimate` takes them."""
    difference = _welch(first, second, confidence)
    return difference and difference.inside(of_difference(bounds))


def _welch(first: Sequence[float], second: Sequence[float], confidence: float) -> Estimate | None:
    if not first or not second:
        return None
    sides = [np.asarray(values, dtype=float) for values in (first, second)]
    mean = float(sides[0].mean() - sides[1].mean())
    n = len(first) + len(second)
    if min(len(first), len(second)) == 1:
        return Estimate(mean, -math.inf, math.inf, n)
    with np.errstate(over="ignore"):
        squares = [float(values.var(ddof=1)) / len(values) for values in sides]
    total = sum(squares)
    if total == 0:
        return Estimate(mean, mean, mean, n)
    if not math.isfinite(total):
        return Estimate(mean, -math.inf, math.inf, n)
    shares = [square / total for square in squares]
    freedom = 1 / sum(share**2 / (len(values) - 1) for share, values in zip(shares, sides, strict=True))
    half = of_student(freedom, confidence) * math.sqrt(total)
    return Estimate(mean, mean - half, mean + half, n)
