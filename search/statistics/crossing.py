"""The point where one curve overtakes another, with its interval: a bootstrap over questions and draws.

Both curves are means over draws and questions, linear between measured n on a logarithmic axis. The crossing is the
last n at which the second curve comes to lie above the first. A resample in which it lies above everywhere crosses
below the range, one in which it ends below crosses beyond it, so that percentiles may lie outside. Source: Efron and
Tibshirani, An Introduction to the Bootstrap, chapter 13 (percentile interval).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BELOW, BEYOND = 0.0, math.inf
"""Crossings outside the range of n."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """The point where one curve overtakes another, with its interval.

    Attributes:
        at: the n of the crossing; `BELOW` or `BEYOND` the range where there is none inside.
        low, high: ends of its interval, possibly outside too.
        inside: share of the resamples that cross inside the range.
        first, last: of the range of n.
        draws, questions: that were resampled.
    """

    at: float
    low: float
    high: float
    inside: float
    first: float
    last: float
    draws: int
    questions: int

    @property
    def is_inside(self) -> bool:
        return BELOW < self.at < BEYOND


def crossing(
    counts: Sequence[int], first: Floats, second: Floats, confidence: float, resamples: int = 2000, seed: int = 0
) -> Crossing:
    """Find where `second` overtakes `first`.

    Args:
        counts: n, rising, > 0, [N]; two or more.
        first, second: scores, [D, N, Q]; the same draws and questions in both, which are resampled together.
    """
    gains = second - first
    draws, _, questions = gains.shape
    places = np.log(np.asarray(counts, dtype=np.float64))
    random = np.random.default_rng(seed)
    resampled = np.empty(resamples)
    for number in range(resamples):
        some = gains[random.integers(draws, size=draws)][:, :, random.integers(questions, size=questions)]
        resampled[number] = _overtakes(places, some.mean(axis=(0, 2)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail], method="nearest")
    return Crossing(
        at=_overtakes(places, gains.mean(axis=(0, 2))),
        low=float(low),
        high=float(high),
        inside=float(((resampled > BELOW) & (resampled < BEYOND)).mean()),
        first=counts[0],
        last=counts[-1],
        draws=draws,
        questions=questions,
    )


def _overtakes(places: Floats, gains: Floats) -> float:
    """The last n at which the gain, [N], turns positive."""
    if gains[-1] <= 0:
        return BEYOND
    behind = np.flatnonzero(gains <= 0)
    if not len(behind):
        return BELOW
    at = int(behind[-1])
    share = gains[at] / (gains[at] - gains[at + 1])
    return float(np.exp(places[at] + share * (places[at + 1] - places[at])))
