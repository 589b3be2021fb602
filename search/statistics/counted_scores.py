"""Scores as the effects model takes them: `search.statistics.effects`."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from search.statistics.effects_prior import EffectsPrior
from search.statistics.observed_scores import Floats, ObservedScores

_KEPT = 2  # sums, of the latest sizes of the noise


@dataclass(frozen=True, slots=True)
class WeightedScores:
    """Sums over scores, each with its question's precision as weight: [n] numbers as few.

    Attributes:
        weight: 1 / variance of the noise, [n].
        total, summed: of the weights, and of the weighted values, by set; [T].
        by_question: weighted values, [Q].
        by_cell: weights by set and question, [T, Q].
        square: the weighted sum of squares.
        logarithm: the sum of the weights' logarithms.
    """

    weight: Floats
    total: Floats
    summed: Floats
    by_question: Floats
    by_cell: csr_array
    square: float
    logarithm: float


class CountedScores:
    """Scores in the model's units, counted.

    Attributes:
        counts: how often each set was scored on each question, [T, Q].
        alike: [P, T], 1 where a set is of a group that was asked the same, of P groups; `first` is one set of each.
    """

    def __init__(self, scores: ObservedScores, model: EffectsPrior) -> None:
        self.sets = list(scores.sets)
        self.rows, self.asked = np.concatenate(scores.rows), np.concatenate(scores.questions)
        self.period = scores.periods(model.periods) if model.periods else None
        self.values: Floats = np.concatenate(scores.values) / model.scale
        self.layout = model.layout(self.sets)
        self.largest = int(self.layout.sizes.max())
        shape = len(self.sets), model.questions
        self.counts = csr_array((np.ones(len(self.rows)), (self.rows, self.asked)), shape=shape)
        self.first, self.alike = _alike(self.counts)
        self._weighted: dict[float, WeightedScores] = {}
        self._weighted_for: Floats | None = None

    def weighted(self, noise: float, own: Floats) -> WeightedScores:
        """Sums with the precision that noise of this size, times `own` of each question, [Q], gives its scores; fits
        that differ in other hyperparameters share them."""
        if self._weighted_for is not own:
            self._weighted, self._weighted_for = {}, own
        if noise not in self._weighted:
            if len(self._weighted) == _KEPT:
                del self._weighted[next(iter(self._weighted))]
            precision, counts = 1 / (noise**2 * own), self.counts
            weight = precision[self.asked]
            weighted = weight * self.values
            self._weighted[noise] = WeightedScores(
                weight,
                self.by_set(weight),
                self.by_set(weighted),
                self.by_question(weighted, len(own)),
                csr_array((counts.data * precision[counts.indices], counts.indices, counts.indptr), counts.shape),
                float(weight @ self.values**2),
                float(np.log(weight).sum()),
            )
        return self._weighted[noise]

    def by_set(self, values: Floats) -> Floats:
        """Sums over each set's scores: [n] to [T]."""
        sums: Floats = np.bincount(self.rows, values, len(self.sets)).astype(float)
        return sums

    def by_question(self, values: Floats, count: int) -> Floats:
        """Sums over each question's scores: [n] to [Q]."""
        sums: Floats = np.bincount(self.asked, values, count).astype(float)
        return sums


def _alike(counts: csr_array) -> tuple[NDArray[np.int64], csr_array]:
    """Groups of equal rows, P of them: one row of each, and which are in it, [P, T]."""
    ends = counts.indptr
    content = [
        counts.indices[start:stop].tobytes() + counts.data[start:stop].tobytes() for start, stop in pairwise(ends)
    ]
    number = {row: at for at, row in enumerate(dict.fromkeys(content))}
    group = np.array([number[row] for row in content], dtype=np.int64)
    first = np.unique(group, return_index=True)[1]
    return first, csr_array((np.ones(len(group)), (group, np.arange(len(group)))), shape=(len(number), len(group)))
