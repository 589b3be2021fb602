"""The point where one curve overtakes another, with its interval.

Both curves are means over draws and questions, linear between measured n on a logarithmic axis. The crossing is the
last n at which the second curve comes to lie above the first. Its interval holds every n at which the gain may be 0:
it begins where the upper end of the gain's own interval turns positive for the last time, and ends where the lower one
does. So it is as wide as few draws make the gain's interval (`search.statistics.draws`), and its ends may lie outside
the range.

Rejected: percentiles of a bootstrap over draws and questions. With three draws that differ by a point they hold the
truth in 74 % (`python -m search.bench.experiment_intervals` measures what stands here). Source of the inversion:
Fieller 1954, for a ratio; here for a line in pieces.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from search.statistics.draws import table_interval
from search.statistics.intervals import Bounds, of_difference

Floats = NDArray[np.float64]
BELOW, BEYOND = 0.0, math.inf
"""Crossings outside the range of n."""

_STEPS = 16  # between two measured n, at which the gain's interval is looked at


@dataclass(frozen=True, slots=True)
class Crossing:
    """The point where one curve overtakes another, with its interval.

    Attributes:
        at: the n of the crossing; `BELOW` or `BEYOND` the range where there is none inside.
        low, high: ends of its interval, possibly outside too.
        first, last: of the range of n.
        draws, questions: that it rests on.
    """

    at: float
    low: float
    high: float
    first: float
    last: float
    draws: int
    questions: int

    @property
    def is_inside(self) -> bool:
        return BELOW < self.at < BEYOND


def crossing(
    counts: Sequence[int], first: Floats, second: Floats, confidence: float, bounds: Bounds | None = None
) -> Crossing:
    """Find where `second` overtakes `first`.

    Args:
        counts: n, rising, > 0, [N]; two or more.
        first, second: scores, [D, N, Q], of the same draws and questions.
        bounds: lowest and highest score there can be; None where that is not known.
    """
    gains = second - first
    draws, _, questions = gains.shape
    measured = np.log(np.asarray(counts, dtype=np.float64))
    places = np.concatenate(
        [np.linspace(*ends, _STEPS, endpoint=False) for ends in pairwise(measured)] + [measured[-1:]]
    )
    intervals = [
        table_interval(_between(measured, gains, place), confidence, of_difference(bounds)) for place in places
    ]
    lows, highs = np.array(intervals).T
    return Crossing(
        at=_overtakes(measured, gains.mean(axis=(0, 2))),
        low=_overtakes(places, highs),
        high=_overtakes(places, lows),
        first=counts[0],
        last=counts[-1],
        draws=draws,
        questions=questions,
    )


def _between(measured: Floats, gains: Floats, place: float) -> Floats:
    """Gains at a place of the axis, [D, Q]."""
    at = min(int(np.searchsorted(measured, place, side="right")), len(measured) - 1)
    share = (place - measured[at - 1]) / (measured[at] - measured[at - 1])
    between: Floats = (1 - share) * gains[:, at - 1] + share * gains[:, at]
    return between


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
