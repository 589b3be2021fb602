"""The best set, when the effects of demonstrations are taken as known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.statistics.effects_posterior import Fit

Floats = NDArray[np.float64]
Fits = Callable[[Sequence[int]], bool]

_MARGIN = 0.15
"""The margin by which a smaller set must seem better: how much each further demonstration dilutes the others is the
least known of all effects, and further ones usually help."""


@dataclass(frozen=True, slots=True)
class KnownEffects:
    """Effects as if they were known, in the words of `search.statistics.effects`.

    Attributes:
        worth: of each demonstration, what any does at all included, [N].
        loss: what similarity costs (negative) a unit.
        similarity: of pairs, [N, N].
        recency, dilution: as there.
    """

    worth: Floats
    loss: float
    similarity: Floats
    recency: float
    dilution: float

    def value(self, chosen: Sequence[int]) -> float:
        """The value of a set in the order given."""
        if not chosen:
            return 0.0
        size = len(chosen)
        places = np.linspace(-1, 1, size) if size > 1 else np.zeros(1)
        total = float(self.worth[list(chosen)] @ (1 + self.recency * places))
        alike = float(self.similarity[np.ix_(chosen, chosen)].sum() / 2)
        return (total + self.loss * alike) * float(size**-self.dilution)

    def best_set(self, *, required: Sequence[int], least: int, most: int, fits: Fits) -> tuple[int, ...]:
        """The best set by greedy steps over the strongest demonstrations; of `least` to `most` (>= 1) members, fewer
        where no more fit; a larger one unless a smaller one is worth clearly more. Without loss by similarity,
        and where everything fits, no set of that size is better."""
        shortlist = np.argsort(-self.worth, kind="stable")[: 3 * most + 12].tolist()
        chosen, best, value = list(required), list(required), -np.inf
        while True:
            if len(chosen) >= max(1, least):
                now = self.value(self.ordered(chosen))
                if now > value - _MARGIN * abs(value):
                    best, value = chosen.copy(), max(value, now)
            gains = self.worth[shortlist] + self.loss * self.similarity[np.ix_(shortlist, chosen)].sum(axis=1)
            ranked = [shortlist[place] for place in np.argsort(-gains, kind="stable")]
            further = next(
                (
                    demonstration
                    for demonstration in ranked
                    if demonstration not in chosen and fits([*chosen, demonstration])
                ),
                None,
            )
            if len(chosen) == most or further is None:
                return self.ordered(best or chosen)
            chosen.append(further)

    def ordered(self, chosen: Sequence[int]) -> tuple[int, ...]:
        """The best order: the strongest last where the last place counts most, first where the first does."""
        sign = 1 if self.recency >= 0 else -1
        return tuple(sorted(chosen, key=lambda demonstration: (sign * self.worth[demonstration], demonstration)))


def known_effects(fit: Fit, beta: Floats) -> KnownEffects:
    """Return the effects of one sample of a posterior, [Q + K + 2 + N], as if they were known."""
    return KnownEffects(
        worth=fit.worths(beta),
        loss=float(fit.similarity_loss(beta)),
        similarity=fit.model.similarity,
        recency=fit.hyper.recency,
        dilution=fit.hyper.dilution,
    )


def neighbours(chosen: Sequence[int], strongest: Sequence[int]) -> list[tuple[int, ...]]:
    """Return sets with one demonstration exchanged for one of the four strongest outside, or two that change places."""
    outside = [member for member in strongest if member not in chosen][:4]
    near: list[tuple[int, ...]] = []
    for place in range(len(chosen)):
        near += [(*chosen[:place], member, *chosen[place + 1 :]) for member in outside]
        for other in range(place):
            moved = list(chosen)
            moved[place], moved[other] = moved[other], moved[place]
            near.append(tuple(moved))
    return near
