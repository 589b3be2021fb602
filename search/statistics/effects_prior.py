"""What the effects model holds for likely before any score: `search.statistics.effects`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from search.statistics.hyperparameters import Hyperparameters
from search.statistics.lapack import cholesky_factor, triangular_inverse
from search.statistics.observed_scores import Floats, OrderedSet

FIXED = 2  # columns before the demonstrations': m and b
_QUESTION, _ANY_LEVEL, _SIMILARITY = 1.5, 3.0, 0.15


@dataclass(frozen=True, slots=True)
class OtherEffects:
    """What scores of another judge say of the effects of the same demonstrations, in units of their spread there.

    Attributes:
        mean: [N].
        covariance: [N, N].
    """

    mean: Floats
    covariance: Floats


@dataclass(frozen=True, slots=True)
class Layout:
    """Sets taken apart: sizes and similarity of each, [T]; members and their places one after the other."""

    sizes: NDArray[np.int64]
    members: NDArray[np.int64]
    places: Floats
    similarity: Floats


class EffectsPrior:
    """The model for given questions and demonstrations.

    Args:
        questions: how many, Q.
        demonstrations: how many, N.
        embedding: [N, p], rows of any length; None without.
        scale: points of the judge's scale per unit of the model.
        hint: what may tell effects, numbers for each in any unit, [N] or [N, hints]; None without.
        step: whether having demonstrations at all is worth something of its own, N(0, 0.3^2), in the place of b, for
            which there must be no embedding: then the empty set's level follows from its own scores alone, and not
            from how sets of growing size do.
    """

    def __init__(
        self,
        questions: int,
        demonstrations: int,
        embedding: Floats | None,
        scale: float = 1.0,
        hint: Floats | None = None,
        *,
        step: bool = False,
    ) -> None:
        self.questions, self.demonstrations, self.scale = questions, demonstrations, scale
        self.periods = 0
        self.other: OtherEffects | None = None
        rows = np.zeros((demonstrations, 1)) if embedding is None else np.asarray(embedding, dtype=float)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        unit = rows / np.where(length > 0, length, 1)
        self.similarity: Floats = np.maximum(unit @ unit.T - 0.3, 0) / 0.7
        np.fill_diagonal(self.similarity, 0)
        self._step = step
        hint = hint[:, None] if hint is not None and hint.ndim == 1 else hint
        self._embedding = _block_diagonal([unit] if hint is None else [unit, *np.split(hint, hint.shape[1], axis=1)])
        self._gram = self._embedding.T @ self._embedding
        self._has_embedding = bool(np.any(self._gram))
        self._known_similarity: dict[OrderedSet, float] = {}

    @property
    def levels(self) -> int:
        """Columns before the features': a level for each question, and one for each period."""
        return self.questions + self.periods

    def layout(self, sets: Sequence[OrderedSet]) -> Layout:
        """The place of each demonstration in these sets."""
        sizes = np.array([len(chosen) for chosen in sets], dtype=np.int64)
        members = np.array([member for chosen in sets for member in chosen], dtype=np.int64)
        places = np.concatenate([np.zeros(0), *[_places(len(chosen)) for chosen in sets]])
        return Layout(sizes, members, places, np.array([self._similarity_in(chosen) for chosen in sets]))

    def _similarity_in(self, ordered: OrderedSet) -> float:
        if not self._has_embedding:
            return 0.0
        similarity = self._known_similarity.get(ordered)
        if similarity is None:
            similarity = float(self.similarity[np.ix_(ordered, ordered)].sum() / 2)
            self._known_similarity[ordered] = similarity
        return similarity

    def features(self, layout: Layout, hyper: Hyperparameters) -> csr_array:
        """[T, 2 + N]: what multiplies m, b and theta."""
        slope = np.maximum(layout.sizes, 1) ** -hyper.dilution
        rows = np.repeat(np.arange(len(layout.sizes)), layout.sizes)
        ends = np.concatenate([[0], np.cumsum(layout.sizes + FIXED)])
        first = ends[:-1]
        columns, values = np.empty(ends[-1], dtype=np.int64), np.empty(ends[-1])
        columns[first], columns[first + 1] = 0, 1
        values[first], values[first + 1] = (
            slope * layout.sizes,
            layout.sizes > 0 if self._step else slope * layout.similarity,
        )
        rest = np.ones(ends[-1], dtype=bool)
        rest[first], rest[first + 1] = False, False
        columns[rest] = FIXED + layout.members
        values[rest] = slope[rows] * (1 + hyper.recency * layout.places)
        return csr_array((values, columns, ends), shape=(len(layout.sizes), FIXED + self.demonstrations))

    def prior_precision(self, hyper: Hyperparameters, own_effect: Floats) -> tuple[Floats, float]:
        """[Q + K + 2 + N, Q + K + 2 + N] of beta, and its log determinant."""
        asked, count, size = self.questions, self.levels, self.levels + FIXED + self.demonstrations
        precision = np.zeros((size, size))
        shared = _ANY_LEVEL**2 / (_QUESTION**2 + asked * _ANY_LEVEL**2)
        precision[:asked, :asked] = (np.eye(asked) - shared) / _QUESTION**2
        log_determinant = -2 * asked * math.log(_QUESTION) + math.log1p(-asked * shared)
        if self.periods:
            steps = np.eye(self.periods) - np.eye(self.periods, k=-1)
            precision[asked:count, asked:count] = steps.T @ steps / hyper.drift**2
            log_determinant -= 2 * self.periods * math.log(hyper.drift)
        second = hyper.any_effect if self._step else _SIMILARITY
        precision[count, count], precision[count + 1, count + 1] = hyper.any_effect**-2, second**-2
        log_determinant -= 2 * math.log(hyper.any_effect * second)
        effects, further = self._effects_precision(hyper, own_effect)
        precision[count + FIXED :, count + FIXED :] = effects
        return precision, log_determinant + further

    def prior_mean(self, hyper: Hyperparameters) -> Floats:
        """The mean of theta a priori; [N]."""
        if self.other is None:
            return np.zeros(self.demonstrations)
        return hyper.agreement * hyper.effect * self.other.mean

    def usual_variances(self, hyper: Hyperparameters) -> Floats:
        """The variances of theta a priori with r = 1; [N]."""
        share = hyper.explained_share if self._has_embedding else 0.0
        variances: Floats = hyper.effect**2 * (share * (self._embedding**2).sum(axis=1) + 1 - share)
        if self.other is None:
            return variances
        agreed = (hyper.agreement * hyper.effect) ** 2 * np.diag(self.other.covariance)
        own: Floats = (1 - hyper.agreement**2) * variances + agreed
        return own

    def _effects_precision(self, hyper: Hyperparameters, own_effect: Floats) -> tuple[Floats, float]:
        """The precision of theta, by Woodbury's identity where no other judge is known, and its log determinant."""
        if self.other is not None and hyper.agreement:
            return self._precision_beside(self.other, hyper, own_effect)
        share = hyper.explained_share if self._has_embedding else 0.0
        free, rank = 1 - share, len(self._gram)
        inner = np.eye(rank) + share / free * self._gram
        scaled = self._embedding / np.sqrt(own_effect * free * hyper.effect**2)[:, None]
        precision: Floats = scaled @ np.linalg.solve(inner, scaled.T * (-share / free))
        precision[np.diag_indices_from(precision)] += 1 / (own_effect * free * hyper.effect**2)
        log_covariance = self.demonstrations * math.log(free * hyper.effect**2) + np.linalg.slogdet(inner)[1]
        return precision, -float(log_covariance + np.log(own_effect).sum())

    def _precision_beside(
        self, other: OtherEffects, hyper: Hyperparameters, own_effect: Floats
    ) -> tuple[Floats, float]:
        """The same with what another judge's scores say."""
        share = hyper.explained_share if self._has_embedding else 0.0
        alike = share * self._embedding @ self._embedding.T + (1 - share) * np.eye(self.demonstrations)
        covariance = hyper.agreement**2 * other.covariance + (1 - hyper.agreement**2) * alike
        spread = hyper.effect * np.sqrt(own_effect)
        factor = cholesky_factor(covariance * np.outer(spread, spread))
        inverse = triangular_inverse(factor)
        return inverse.T @ inverse, -2 * float(np.log(np.diag(factor)).sum())


def _block_diagonal(blocks: Sequence[Floats]) -> Floats:
    """Columns of several blocks, [N, any] each, beside each other: centred, with rows of mean square length 1, to which
    every block that is not constant contributes the same."""
    telling = [block - block.mean(axis=0) for block in blocks if (block != block[:1]).any()]
    if not telling:
        return np.zeros((len(blocks[0]), 1))
    return np.hstack([block / np.sqrt((block**2).sum(axis=1).mean() * len(telling)) for block in telling])


@cache
def _places(size: int) -> Floats:
    """-1 for the first to 1 for the last; 0 for one alone."""
    return np.linspace(-1, 1, size) if size > 1 else np.zeros(size)
