"""An axis of numbers of examples, which may be logarithmic and begin at 0."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from search.experiments.cell import Label, spell


@dataclass(frozen=True, slots=True)
class CountAxis:
    """An axis of numbers of examples.

    Attributes:
        counts: that stand on it, rising, each once.
    """

    counts: tuple[float, ...]
    is_log: bool

    @classmethod
    def of(cls, counts: Sequence[float], is_log: bool) -> Self:
        """Make the axis of these numbers; linear where it has no number above 0, whatever is asked for."""
        return cls(tuple(sorted({*counts})), is_log and max(counts, default=0) > 0)

    def places(self, counts: Sequence[Label]) -> list[float]:
        """The places of these numbers: 0 has no logarithm, and stands at half the smallest other one."""
        return [self._place(float(count)) for count in counts]

    def annotation(self, count: float) -> float:
        """The place of an annotation: plotly wants the exponent, unlike for points and shapes."""
        return math.log10(count) if self.is_log else count

    def layout(self) -> Mapping[str, object]:
        """The properties of plotly's axis."""
        if not self.is_log:
            return {}
        names = [spell(int(count)) for count in self.counts]
        return {"type": "log", "tickvals": self.places(self.counts), "ticktext": names, "tickangle": -45}

    def _place(self, count: float) -> float:
        if self.is_log and count == 0:
            return min(other for other in self.counts if other > 0) / 2
        return count
