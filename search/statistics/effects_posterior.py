"""The posterior of the effects model for some scores: `search.statistics.effects`."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular
from scipy.sparse import csr_array, hstack

from search.statistics.counted_scores import CountedScores, WeightedScores
from search.statistics.effects_prior import FIXED, EffectsPrior, OtherEffects
from search.statistics.hyperparameters import Hyperparameters, OwnVariances
from search.statistics.lapack import cholesky_factor, triangular_inverse
from search.statistics.observed_scores import Floats, OrderedSet

_IMAGINARY = 20.0
_FREEDOM = 5.0  # degrees of freedom of the demonstrations' effects
_POWERS = (-5.0, -1.0, -0.5, 0.0, 0.5)  # of two: strengths of all effects, relative to the likeliest
_DENSE_ENTRIES, _DENSE_SHARE = 100_000, 0.2  # above both, a product of sparse rows takes longer than one of dense rows
_FEW_CELLS = 20_000  # below which it does too: scipy's calls take longer than their arithmetic


class Fit:
    """The posterior of the model for some scores at some hyperparameters.

    Attributes:
        hyper: the hyperparameters.
        own: h_q and r_c.
        step: of the search for hyperparameters, for the next fit.
        mean: of beta, [Q + K + 2 + N], in the model's units.
        factor: lower Cholesky factor of beta's posterior precision.
        log_evidence: log marginal likelihood.
        features: of the sets scored, [T, 2 + N], as `EffectsPrior.features` gives them.
    """

    def __init__(
        self, model: EffectsPrior, data: CountedScores, hyper: Hyperparameters, own: OwnVariances, step: Floats
    ) -> None:
        self.model, self.hyper, self.own, self.step = model, hyper, own, step
        self._data, self._number = data, {ordered: row for row, ordered in enumerate(data.sets)}
        weighted = data.weighted(hyper.noise, own.noise)
        weight, self._total, self._summed = weighted.weight, weighted.total, weighted.summed
        of_set = np.where(data.layout.sizes > 0, hyper.set_effect**2, 0.0)
        self._shrink: Floats = of_set / (1 + of_set * self._total)
        self._weight = weight
        self._met = weighted.by_cell
        if data.period is not None:
            spent = csr_array((weight, (data.rows, data.period)), shape=(len(data.sets), model.periods))
            self._met = hstack([self._met, spent], format="csr")
        self.features = model.features(data.layout, hyper)
        self._met_rows: csr_array | Floats = self._met
        self._feature_rows: csr_array | Floats = self.features
        if max(math.prod(self._met.shape), math.prod(self.features.shape)) <= _FEW_CELLS:
            self._met_rows, self._feature_rows = self._met.toarray(), self.features.toarray()
        prior, log_prior = model.prior_precision(hyper, own.effect)
        first = model.levels + FIXED
        expected = model.prior_mean(hyper)
        pulled = prior[first:, first:] @ expected
        prior += self._observed_precision()
        self.factor: Floats = cholesky_factor(prior)
        target = self._target(weighted)
        target[first:] += pulled
        self.mean: Floats = cho_solve((self.factor, True), target, check_finite=False)
        square = float(weighted.square - self._shrink @ self._summed**2 - target @ self.mean)
        square += float(expected @ pulled)
        log_determinant = 2 * np.log(np.diag(self.factor)).sum() - log_prior - weighted.logarithm
        log_determinant += np.log1p(of_set * self._total).sum()
        self.log_evidence = -0.5 * (square + float(log_determinant) + len(weight) * math.log(2 * math.pi))

    def _observed_precision(self) -> Floats:
        """X' (D - c w w') X summed over sets; those that were asked the same at once."""
        count, left = self.model.levels, 1 - self._shrink * self._total
        met, shrink, plain = self._met_rows, self._shrink, self._feature_rows
        features = _scaled(plain, left)
        if self._data.period is None and not isinstance(met, np.ndarray):
            met, shrink = met[self._data.first], self._data.alike @ shrink
            features = csr_array(self._data.alike @ features)
        crossed = _cross(met, features)
        precision = np.block(
            [
                [np.diag(self._met_rows.sum(axis=0)) - _gram(met, shrink), crossed],
                [crossed.T, _gram(plain, self._total * left)],
            ]
        )
        if self._data.period is not None:
            met_in = np.zeros((count, count))
            np.add.at(met_in, (self._data.asked, self.model.questions + self._data.period), self._weight)
            precision[:count, :count] += met_in + met_in.T
        return precision

    def _target(self, weighted: WeightedScores) -> Floats:
        """X' (D - c w w') y, summed over sets."""
        asked = weighted.by_question
        if self._data.period is not None:
            values = weighted.weight * self._data.values
            in_period = np.bincount(self._data.period, values, self.model.periods)
            asked = np.concatenate([asked, in_period])
        left = 1 - self._shrink * self._total
        return np.concatenate(
            [asked - self._met_rows.T @ (self._shrink * self._summed), self._feature_rows.T @ (left * self._summed)]
        )

    def own_variances(self) -> OwnVariances:
        """What this posterior says of h and r, for the next one."""
        return OwnVariances(self._own_noise(), self._own_effect())

    def _own_effect(self) -> Floats:
        """r_c: 1 / E[1 / r_c] under its posterior, with E[theta_c^2] from this one; [N]. Where nothing is known of a
        demonstration it stays 1."""
        first = self.model.levels + FIXED
        spread = triangular_inverse(self.factor)
        surprise = self.mean[first:] - self.model.prior_mean(self.hyper)
        square = surprise**2 + (spread[:, first:] ** 2).sum(axis=0)
        square /= self.model.usual_variances(self.hyper)
        own: Floats = (_FREEDOM + square) / (_FREEDOM + 1)
        return own

    def effects(self) -> OtherEffects:
        """The demonstrations' effects as another judge's model takes them."""
        first = self.model.levels + FIXED
        inverse = triangular_inverse(self.factor)[:, first:]
        return OtherEffects(self.mean[first:] / self.hyper.effect, inverse.T @ inverse / self.hyper.effect**2)

    @property
    def foretold(self) -> float:
        """The share of the variance of effects that another judge's scores explain, on average, in [0, 1]."""
        other = self.model.other
        if other is None:
            return 0.0
        return self.hyper.agreement**2 * max(0.0, 1 - float(np.diag(other.covariance).mean()))

    @property
    def sets(self) -> int:
        """How many sets were scored, T."""
        return len(self._data.sets)

    def has_scores(self, ordered: OrderedSet) -> bool:
        """Return whether the set has scores among these."""
        return ordered in self._number

    def questions_met(self) -> Floats:
        """Return on how many questions each demonstration was met, [N]: (sum w)^2 / sum w^2 of the weights w that its
        scores on each have, as effective sample sizes are; 1 where it was met on none."""
        met = ((self.features[:, FIXED:] ** 2).T @ self._data.counts).toarray()
        squares = (met**2).sum(axis=1)
        effective: Floats = np.divide(met.sum(axis=1) ** 2, squares, out=np.ones(len(met)), where=squares > 0)
        return effective

    def leftovers(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        """Return what the posterior mean leaves of each score, in the model's units: sets' and questions' numbers, and
        the leftovers, [n] each."""
        data, count = self._data, self.model.levels
        plain = self.features @ self.mean[count:]
        own = self._shrink * (self._summed - self._met @ self.mean[:count] - self._total * plain)
        level = self.mean[data.asked] + (0.0 if data.period is None else self.mean[self.model.questions + data.period])
        return data.rows, data.asked, data.values - level - (plain + own)[data.rows]

    def _own_noise(self) -> Floats:
        """h_q: mean square residuals of each question, shrunk to the pooled one; [Q]."""
        data, count = self._data, self.model.questions
        _, _, leftovers = self.leftovers()
        square = data.by_question(leftovers**2, count) / self.hyper.noise**2
        relative: Floats = (square + _IMAGINARY) / (data.by_question(np.ones(len(leftovers)), count) + _IMAGINARY)
        return relative

    def _value_of(self, sets: Sequence[OrderedSet]) -> tuple[csr_array, Floats, Floats]:
        """Values of sets beyond the empty one's as linear functions of beta: rows [B, Q + K + 2 + N], constants and
        further variances [B]."""
        rows = np.array([self._number.get(ordered, -1) for ordered in sets], dtype=np.int64)
        observed = rows >= 0
        shrink = np.where(observed, self._shrink[rows], 0.0)
        further = np.where(observed, shrink, [self.hyper.set_effect**2 * (len(ordered) > 0) for ordered in sets])
        left = np.where(observed, 1 - shrink * self._total[rows], 1.0)
        features = _scaled(self.model.features(self.model.layout(sets), self.hyper), left)
        met = _scaled(self._met[np.maximum(rows, 0)], -shrink)
        return hstack([met, features], format="csr"), shrink * self._summed[rows], further

    def values(self, sets: Sequence[OrderedSet]) -> Floats:
        """Posterior means of what sets add to the empty one, in points; [B]."""
        functions, constants, _ = self._value_of(sets)
        means: Floats = (functions @ self.mean + constants) * self.model.scale
        return means

    def gains(self, sets: Sequence[OrderedSet], over: OrderedSet) -> tuple[Floats, Floats]:
        """Posterior means and standard deviations of what sets add to the set `over`, in points; [B] each."""
        functions, constants, further = self._value_of([*sets, over])
        difference = functions[:-1].toarray() - functions[[-1]].toarray()
        means = difference @ self.mean + constants[:-1] - constants[-1]
        spread = solve_triangular(self.factor, difference.T, lower=True, check_finite=False)
        same = np.array([ordered == over for ordered in sets])
        variances = (spread**2).sum(axis=0) + np.where(same, 0.0, further[:-1] + further[-1])
        return means * self.model.scale, np.sqrt(variances) * self.model.scale

    def by_strength(self, luck: Floats | float) -> list["Fit"]:
        """Return fits with several strengths of everything that demonstrations and sets do, nearly nothing among them,
        each as likely as another beforehand, and no demonstration taken for an exception. A search may count on usual
        effects; a proof may not: the likeliest strength alone promises too much where there is no signal.

        Args:
            luck: variance, in the model's units, of what each demonstration does to the questions asked alone, [N]; it
                is there however weak the effects that last are.
        """
        fits = []
        for power in _POWERS:
            hyper = replace(
                self.hyper,
                effect=self.hyper.effect * 2.0**power,
                any_effect=self.hyper.any_effect * min(1.0, 2.0**power),
                set_effect=self.hyper.set_effect * min(1.0, 2.0**power),
            )
            own = replace(self.own, effect=1 + np.broadcast_to(luck, self.model.demonstrations) / hyper.effect**2)
            fits.append(Fit(self.model, self._data, hyper, own, self.step))
        return fits

    def lasting_gain(self, ordered: OrderedSet, over: OrderedSet, luck: Floats | float) -> tuple[float, float]:
        """Return the posterior mean and standard deviation of what a scored set adds to another scored one on further
        questions, in points.

        Args:
            luck: variance, in the model's units, of the part of each demonstration's effect that belongs to the
                questions asked alone, [N]; what is left of the effects' variance lasts.
        """
        variances = self.hyper.effect**2 * self.own.effect
        lasting = np.maximum(0.0, 1 - luck / variances)
        rows = [self._number[ordered], self._number[over]]
        features, met = self.features[rows].toarray(), self._met[rows].toarray()
        own = self._shrink[rows][:, None] * np.hstack([met, self._total[rows][:, None] * features])
        functions = np.hstack([np.zeros_like(met), features]) - own
        theta = met.shape[1] + FIXED
        functions[:, theta:] -= (1 - lasting) * features[:, FIXED:]
        difference = functions[0] - functions[1]
        constants = (self._shrink * self._summed)[rows]
        mean = float(difference @ self.mean + constants[0] - constants[1])
        spread = solve_triangular(self.factor, difference, lower=True, check_finite=False)
        left = float((lasting * (1 - lasting) * variances) @ (features[0] - features[1])[FIXED:] ** 2)
        variance = float(spread @ spread) + float(self._shrink[rows].sum()) + left
        return mean * self.model.scale, math.sqrt(variance) * self.model.scale

    @property
    def drift(self) -> float:
        """How far the judge's level has moved while these scores were told, from its lowest to its highest, in points;
        0 where the model has no periods."""
        levels = self.mean[self.model.questions : self.model.levels]
        return float(np.ptp(levels)) * self.model.scale if len(levels) else 0.0

    def draws(self, count: int, temper: float, draw: np.random.Generator) -> Floats:
        """[count, Q + K + 2 + N] samples of beta, their deviations from the mean shrunk by `temper`."""
        normal = draw.normal(size=(len(self.mean), count))
        deviations = solve_triangular(self.factor, normal, lower=True, trans="T", check_finite=False)
        samples: Floats = self.mean + temper * deviations.T
        return samples

    def worths(self, betas: Floats) -> Floats:
        """m + theta of samples of beta: [..., Q + K + 2 + N] to [..., N]."""
        count = self.model.levels
        worths: Floats = betas[..., count + FIXED :] + betas[..., count : count + 1]
        return worths

    def similarity_loss(self, betas: Floats) -> Floats:
        """b of samples of beta: [..., Q + K + 2 + N] to [...]."""
        loss: Floats = betas[..., self.model.levels + 1]
        return loss

    def sampled_values(
        self, sets: Sequence[OrderedSet], betas: Floats, temper: float, draw: np.random.Generator
    ) -> Floats:
        """Values of sets under samples of beta, what each set does of its own drawn too, in points: [J, B]."""
        functions, constants, further = self._value_of(sets)
        own = draw.normal(size=(len(betas), len(sets))) * np.sqrt(further) * temper
        values: Floats = ((functions @ betas.T).T + constants + own) * self.model.scale
        return values


def _gram(rows: csr_array | Floats, scale: Floats) -> Floats:
    """rows' diag(scale) rows, [K, K] of rows [T, K]."""
    if isinstance(rows, csr_array) and rows.nnz > max(_DENSE_ENTRIES, _DENSE_SHARE * math.prod(rows.shape)):
        rows = rows.toarray()
    return _cross(rows, _scaled(rows, scale))


def _cross(left: csr_array | Floats, right: csr_array | Floats) -> Floats:
    """left' right, [K, L] of rows [T, K] and [T, L]."""
    product: Any = left.T @ right
    dense: Floats = product if isinstance(product, np.ndarray) else product.toarray()
    return dense


@overload
def _scaled(rows: csr_array, factors: Floats) -> csr_array: ...
@overload
def _scaled(rows: Floats, factors: Floats) -> Floats: ...
def _scaled(rows: csr_array | Floats, factors: Floats) -> csr_array | Floats:
    """Each row times its factor."""
    if isinstance(rows, np.ndarray):
        return rows * factors[:, None]
    return csr_array((rows.data * np.repeat(factors, np.diff(rows.indptr)), rows.indices, rows.indptr), rows.shape)
