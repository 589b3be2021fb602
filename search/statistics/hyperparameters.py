"""Hyperparameters of the effects model, and what varies beside them from question to question and from one
demonstration to the next. The model itself: `search.statistics.effects`."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Hyperparameters of `search.statistics.effects`; `effect`, `set_effect`, `noise`, `any_effect` and `drift` are
    standard deviations; `any_effect`, of m, and `drift` are not fitted, `agreement` apart from the others. `agreement`
    is the correlation of effects with those under another judge, in [0, 1)."""

    effect: float = 0.2
    explained_share: float = 0.3
    set_effect: float = 0.08
    noise: float = 1.12
    recency: float = 0.12
    dilution: float = 0.37
    any_effect: float = 0.3
    drift: float = 0.0
    agreement: float = 0.0

    def log_prior(self) -> float:
        """The log-density of the prior, up to a constant."""
        return -0.5 * float((((self.free() - _PRIOR_CENTRE) / _PRIOR_SPREAD) ** 2).sum())

    def free(self) -> Floats:
        """Unconstrained coordinates: logarithms, the logit of a share, the rest as they are."""
        logit = math.log(self.explained_share / (1 - self.explained_share))
        logs = [math.log(value) for value in (self.effect, self.set_effect, self.noise)]
        return np.array([logs[0], logit, logs[1], logs[2], self.recency, self.dilution])

    @classmethod
    def from_free(cls, free: Floats) -> "Hyperparameters":
        """The inverse of `free`, within bounds that keep the arithmetic sound."""
        effect, set_effect, noise = (math.exp(min(3.0, max(-6.0, free[place]))) for place in (0, 2, 3))
        share = 1 / (1 + math.exp(-min(5.0, max(-5.0, free[1]))))
        return cls(effect, share, set_effect, noise, min(0.9, max(-0.9, free[4])), min(1.2, max(0.0, free[5])))


_PRIOR_CENTRE = Hyperparameters().free()
_PRIOR_SPREAD = np.array([0.5, 0.7, 0.5, 0.3, 0.15, 0.1])


@dataclass(frozen=True, slots=True)
class OwnVariances:
    """Relative to the pooled ones.

    Attributes:
        noise: of each question, h_q, [Q].
        effect: of each demonstration, r_c, [N].
    """

    noise: Floats
    effect: Floats
