"""How many more questions would tell whether a gain is one."""

import math
from dataclasses import dataclass

from scipy.special import ndtri


@dataclass(frozen=True, slots=True)
class GainBelief:
    """What is held of a gain, taken as normal.

    Attributes:
        probability: that it is above 0, held-out differences included.
        before: standard deviation of what the search scores alone say of it, in points.
        scored: held-out differences so far.
        spread: their standard deviation, in points.
    """

    probability: float
    before: float
    scored: int
    spread: float

    @property
    def mean(self) -> float:
        """The gain that is expected, in points."""
        return float(ndtri(self.probability)) / math.sqrt(self.before**-2 + self.scored / self.spread**2)

    def questions_to_decide(self, enough: float) -> int | None:
        """Return about how many further questions, put to both prompts, make it `enough` probable, in (0.5, 1), that
        the gain is above 0, if it is the expected one; None where none are needed or none is expected. Each adds
        1 / spread^2 to the precision of the gain, whose mean stays."""
        if not 0.5 < self.probability < enough:
            return None
        ratio = float(ndtri(enough) / ndtri(self.probability))
        # the z of the gain grows with the root of its precision, so the precision must grow by the ratio squared
        return math.ceil((ratio**2 - 1) * ((self.spread / self.before) ** 2 + self.scored))
