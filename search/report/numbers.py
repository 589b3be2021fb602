"""How numbers are written: as many digits as they are worth."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from search.statistics.estimates import Estimate

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of one report, as text.

    Attributes:
        digits: behind the point, of scores and their differences.
    """

    digits: int = 2

    @classmethod
    def fitting(cls, scores: ArrayLike) -> "Numbers":
        """Numbers that fit scores of this size: 7.43, but 0.743 and 74.3."""
        sizes = np.abs(np.asarray(scores, dtype=float))
        largest = sizes.max() if sizes.size else 10.0
        return cls(3 if largest <= 1.5 else 2 if largest <= 20 else 1)

    def score(self, value: float | None) -> str:
        return NOTHING if value is None else _minus(f"{value:.{self.digits}f}")

    def gain(self, value: float | None) -> str:
        """A gain with its sign."""
        if value is None:
            return NOTHING
        text = f"{value:+.{self.digits}f}"
        return _minus(text if text.strip("+-0.") else text[1:])

    def interval(self, value: Estimate | None, signed: bool = False) -> str:
        """`4.09 to 5.03`; nothing where a single question gives none."""
        if value is None or not math.isfinite(value.low) or not math.isfinite(value.high):
            return ""
        write = self.gain if signed else self.score
        return f"{write(value.low)} to {write(value.high)}"

    def interval_at(self, value: Estimate, confidence: float, signed: bool = False) -> str:
        """`95 % interval 4.09 to 5.03`."""
        interval = self.interval(value, signed)
        return f"{share(confidence)} interval {interval}" if interval else "no interval, n = 1"


def count(value: float) -> str:
    """A whole number, in groups of three."""
    return f"{round(value):,}"


def share(value: float | None) -> str:
    """A percentage."""
    return NOTHING if value is None else f"{100 * value:.{0 if value >= 0.1 or value == 0 else 1}f} %"


def dollars(value: float | None, estimated: int = 0) -> str:
    """Cents where they matter; "about" where calls are estimated."""
    if value is None:
        return "unknown"
    return ("about " if estimated else "") + (f"${value:,.2f}" if value < 1000 else f"${value:,.0f}")


def duration(seconds: float) -> str:
    """`1 h 05 min`, `2 min 10 s`, `42 s`."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return f"{count(hours)} h {left:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _minus(text: str) -> str:
    return text.replace("-", "−")
