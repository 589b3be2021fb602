"""How long it will still take, and how sure that is.

Time since the beginning is cut into equal windows; when there are 24 of them, two and two become one, so that they are
short at first and soon longer than what makes speed uneven: blocks that end together, a judge's pauses, a candidate
with long answers. The later half of them (all, where there are few) have the speeds v_1, ..., v_k, with mean v and
standard deviation s; so what the ledger knew at the beginning is soon forgotten. At v, the rest takes T; that is T / w
further windows of length w, whose mean speed is expected within

    v ± t s sqrt(1 / k + w / T)

where t is Student's quantile with k - 1 degrees of freedom: the prediction interval of a mean of T / w values from k.
Its two ends, as times, are the interval shown. It holds for 8 in 10 if the rest is work of the same kind; a strategy
that ends early, and evaluations that the ledger knows, make it shorter.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import stdev

from search.results.wording import digits, unit_of
from search.statistics.quantiles import of_student

_MOST = 24  # windows
_FEWEST = 3  # windows, before an interval is given
_COVERAGE = 0.8


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds left.

    Attributes:
        seconds: at the mean speed.
        low, high: see the module; 0 and infinite before enough is known, `high` also where work has all but stood still
            at times.
    """

    seconds: float
    low: float = 0.0
    high: float = math.inf


class Speedometer:
    """Remembers how much was done when.

    Args:
        window: seconds that a window has at first.
    """

    def __init__(self, window: float = 1.0) -> None:
        self._window = window
        self._marks: list[tuple[float, int]] = []  # at the edges of windows

    @property
    def _recent(self) -> list[tuple[float, int]]:
        windows = max(_FEWEST, len(self._marks) // 2)
        return self._marks[-windows - 1 :] or [(0.0, 0)]

    def note(self, seconds: float, done: int) -> None:
        """Note that so much is done at that time; times grow."""
        if not self._marks or seconds >= self._marks[-1][0] + self._window:
            self._marks.append((seconds, done))
        if len(self._marks) > _MOST:
            self._marks = self._marks[::2]
            self._window *= 2

    @property
    def speed(self) -> float:
        """What was done a second, over the windows looked at."""
        (began, before), (ended, after) = self._recent[0], self._recent[-1]
        return (after - before) / (ended - began) if ended > began else 0.0

    def eta(self, left: int) -> Eta | None:
        """The time left for the rest; None while nothing has been done."""
        if left <= 0:
            return Eta(0.0, 0.0, 0.0)
        mean = self.speed
        if mean <= 0:
            return None
        marks = self._recent
        speeds = [(after[1] - before[1]) / (after[0] - before[0]) for before, after in pairwise(marks)]
        if len(speeds) < _FEWEST:
            return Eta(left / mean)
        width = (marks[-1][0] - marks[0][0]) / len(speeds)
        half = _half(speeds, width * mean / left)
        return Eta(left / mean, left / (mean + half), left / (mean - half) if half < mean else math.inf)


def _half(speeds: list[float], share: float) -> float:
    """Half the interval of the mean speed to come; a window is this share of the rest."""
    quantile = of_student(len(speeds) - 1, _COVERAGE)
    return quantile * stdev(speeds) * math.sqrt(1 / len(speeds) + share)


def show_eta(eta: Eta | None) -> str:
    """`ETA 12 min (9-17)`."""
    if eta is None:
        return "ETA unknown"
    each, unit = unit_of(eta.seconds)
    middle, low, high = (digits(value / each) for value in (eta.seconds, eta.low, eta.high))
    if low == middle == high:
        return f"ETA {middle} {unit}"
    if math.isfinite(eta.high):
        return f"ETA {middle} {unit} ({low}-{high})"
    return f"ETA {middle} {unit} ({low} or more)" if eta.low else f"ETA {middle} {unit} or so"
