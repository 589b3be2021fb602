"""What demonstrations do, learnt from scores of sets of them: a hierarchical Bayesian linear model.

The score of the ordered set S = (c_1 ... c_n) on question q is taken to be

    y = d_q + n^-dilution * ( sum_j (1 + recency * x_j) * (m + theta_{c_j}) + b * likeness(S) ) + u_S + noise_q

    d_q        level of the question, N(nu, 1.5^2) with nu ~ N(0, 3^2): the empty set's score on it. Sharing it is what
               pairs all sets that met a question.
    x_j        place in the prompt, from -1 (first) to 1 (last), 0 alone
    m          what any demonstration at all does, N(0, 0.3^2): with the power of n, the slope in the size of a set
    theta      effects of the demonstrations, N(0, effect^2 * R (told * E E' + (1 - told) * I) R): a ridge regression on
               the embedding E [N, p] (rows of mean square length 1) plus a free effect for each. R^2 = diag(r_c) makes
               it heavy-tailed, since some demonstrations help or harm far more than most: r_c is a demonstration's own
               variance relative to the pooled one, such that each effect has Student's t with 5 degrees of freedom.
               Where there is a hint, a number for each demonstration, E is [V, h] / sqrt(2): V the embedding of texts,
               h the hint with mean 0 and variance 1, so that one column tells a priori as much as all of V; without V
               it is h
    likeness   sum over pairs of max(0, cosine - 0.3) / 0.7 of the embeddings of texts; b ~ N(0, 0.15^2)
    u_S        what the set does beyond the sum (interactions, order), N(0, set_effect^2), one for each ordered set
    noise_q    N(0, noise^2 * h_q), h_q the question's own variance, relative to the pooled one and shrunk to it by 20
               imaginary observations

Scores are in units in which a plausible judge's scores of one prompt spread by 1.8, so that the priors of the
hyperparameters (effect about 0.2, told 0.3, set effect 0.08, noise 1.12, recency 0.12, dilution 0.37) mean something.
The hyperparameters maximise marginal likelihood times prior. h and r are what the posterior of
the round before says of them (EM for Student's t: Lange, Little and Taylor 1989; each demonstration by itself).

With everything linear once those are fixed, beta = (d, m, b, theta) has a normal posterior. u is integrated out set by
set: the n_S scores of S have the precision D - c w w', with w the noise precisions 1 / (noise^2 h_q), D = diag(w),
W = sum w and c = set_effect^2 / (1 + set_effect^2 W). So the posterior precision is P + X' (D - c w w') X summed over
sets, of size Q + 2 + N, formed from sparse counts and factored once; log determinants follow from Sylvester's identity.
Given beta, u_S is normal with mean c * sum_i w_i (y_i - x_i beta) and variance c. The empty set has no u.

Sources: Gelman et al., Bayesian Data Analysis, 3rd edition, chapters 14 and 15; Rasmussen and Williams, Gaussian
Processes for Machine Learning, section 5.4.1. A dense kernel over scores is the same model and was rejected: its cost
grows with the cube of the scores, this one's with the cube of questions plus demonstrations.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dtrtri
from scipy.sparse import csr_array, hstack
from scipy.special import ndtr

Floats = NDArray[np.float64]
OrderedSet = tuple[int, ...]

USUAL_SPREAD = 1.8
_QUESTION, _ANY_LEVEL, _ANY, _LIKENESS = 1.5, 3.0, 0.3, 0.15
_IMAGINARY = 20.0
_FREEDOM = 5.0  # degrees of freedom of the demonstrations' effects
_POWERS = (-5, -4, -3, -2, -1, 0, 1)  # of two: strengths of all effects, relative to the likeliest
_FIXED = 2  # columns before the demonstrations': m and b


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """See the module's docstring; `effect`, `set_effect` and `noise` are standard deviations."""

    effect: float = 0.2
    told: float = 0.3
    set_effect: float = 0.08
    noise: float = 1.12
    recency: float = 0.12
    dilution: float = 0.37

    def log_prior(self) -> float:
        """Up to a constant."""
        return -0.5 * float((((self.free() - _PRIOR_CENTRE) / _PRIOR_SPREAD) ** 2).sum())

    def free(self) -> Floats:
        """Unconstrained coordinates: logarithms, the logit of a share, the rest as they are."""
        logit = math.log(self.told / (1 - self.told))
        logs = [math.log(value) for value in (self.effect, self.set_effect, self.noise)]
        return np.array([logs[0], logit, logs[1], logs[2], self.recency, self.dilution])

    @classmethod
    def from_free(cls, free: Floats) -> "Hyperparameters":
        """The inverse of `free`, within bounds that keep the arithmetic sound."""
        effect, set_effect, noise = (math.exp(min(3.0, max(-6.0, free[place]))) for place in (0, 2, 3))
        told = 1 / (1 + math.exp(-min(5.0, max(-5.0, free[1]))))
        return cls(effect, told, set_effect, noise, min(0.9, max(-0.9, free[4])), min(1.2, max(0.0, free[5])))


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


@dataclass(slots=True)
class ObservedScores:
    """Everything told: which set scored what on which question. Sets are distinct, in the order first told."""

    sets: list[OrderedSet] = field(default_factory=list)
    number: dict[OrderedSet, int] = field(default_factory=dict)
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    questions: list[NDArray[np.int64]] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)

    def tell(self, ordered: OrderedSet, questions: ArrayLike, values: ArrayLike) -> None:
        """Scores of one set: as many values as questions (numbers from 0)."""
        asked = np.asarray(questions, dtype=np.int64)
        row = self.number.setdefault(ordered, len(self.sets))
        if row == len(self.sets):
            self.sets.append(ordered)
        self.rows.append(np.full(len(asked), row))
        self.questions.append(asked)
        self.values.append(np.asarray(values, dtype=float))


class EffectsModel:
    """The model for given questions and demonstrations.

    Args:
        questions: how many, Q.
        demonstrations: how many, N.
        embedding: [N, p], rows of any length; None without.
        scale: points of the judge's scale per unit of the model.
        hint: what may tell effects, a number for each in any unit, [N]; None without.
    """

    def __init__(
        self,
        questions: int,
        demonstrations: int,
        embedding: Floats | None,
        scale: float = 1.0,
        hint: Floats | None = None,
    ) -> None:
        self.questions, self.demonstrations, self.scale = questions, demonstrations, scale
        rows = np.zeros((demonstrations, 1)) if embedding is None else np.asarray(embedding, dtype=float)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        unit = rows / np.where(length > 0, length, 1)
        self.similarity: Floats = np.maximum(unit @ unit.T - 0.3, 0) / 0.7
        np.fill_diagonal(self.similarity, 0)
        self._embedding = _beside([unit] if hint is None else [unit, hint[:, None]])
        self._gram = self._embedding.T @ self._embedding
        self._has_embedding = bool(np.any(self._gram))
        self._known_likeness: dict[OrderedSet, float] = {}

    def fit(self, scores: ObservedScores, start: "Fit | None" = None, sweeps: int = 2) -> "Fit":
        """The posterior at the best hyperparameters found from those of `start` (an earlier fit of the same search).

        Args:
            sweeps: passes over the hyperparameters; 0 keeps them.
        """
        data = _Data(scores, self)
        hyper = start.hyper if start else Hyperparameters()
        own = start.own if start else self._alike()
        hyper, step = self._climb(data, hyper, own, sweeps, start.step if start else _FIRST_STEP)
        for _ in range(1 if start else _FIRST_ROUNDS):
            own = Fit(self, data, hyper, own, step).own_variances()
        return Fit(self, data, hyper, own, step)

    def at(self, scores: ObservedScores, hyper: Hyperparameters, own: OwnVariances | None = None) -> "Fit":
        """The posterior at given hyperparameters, all questions and all demonstrations alike if not said otherwise."""
        return Fit(self, _Data(scores, self), hyper, own or self._alike(), _FIRST_STEP)

    def _alike(self) -> OwnVariances:
        return OwnVariances(np.ones(self.questions), np.ones(self.demonstrations))

    def _climb(
        self, data: "_Data", hyper: Hyperparameters, own: OwnVariances, sweeps: int, step: Floats
    ) -> tuple[Hyperparameters, Floats]:
        """Pattern search, one coordinate at a time: a step that helps grows, one that does not shrinks."""
        free, step = hyper.free(), step.copy()
        best = self._goodness(data, hyper, own) if sweeps else 0.0
        places = [place for place in range(len(free)) if self._matters(place, data)]
        for _ in range(sweeps):
            for place in places:
                for sign in (1.0, -1.0):
                    tried = free.copy()
                    tried[place] += sign * step[place]
                    goodness = self._goodness(data, Hyperparameters.from_free(tried), own)
                    if goodness > best + 1e-6:
                        free, best = tried, goodness
                        step[place] *= sign * 1.5
                        break
                else:
                    step[place] *= 0.5
        return Hyperparameters.from_free(free), np.maximum(np.abs(step), 0.05) * np.sign(step)

    def _matters(self, place: int, data: "_Data") -> bool:
        """Whether the scores can say anything about this hyperparameter."""
        return (self._has_embedding or place != 1) and (data.largest > 1 or place not in (4, 5))

    def _goodness(self, data: "_Data", hyper: Hyperparameters, own: OwnVariances) -> float:
        try:
            return Fit(self, data, hyper, own, _FIRST_STEP).log_evidence + hyper.log_prior()
        except LinAlgError:
            return -math.inf

    def layout(self, sets: Sequence[OrderedSet]) -> "Layout":
        """Who stands where in these sets."""
        sizes = np.array([len(one) for one in sets], dtype=np.int64)
        members = np.array([member for one in sets for member in one], dtype=np.int64)
        places = np.concatenate([np.zeros(0), *[_places(len(one)) for one in sets]])
        return Layout(sizes, members, places, np.array([self._likeness_in(one) for one in sets]))

    def _likeness_in(self, ordered: OrderedSet) -> float:
        if not self._has_embedding:
            return 0.0
        known = self._known_likeness.get(ordered)
        if known is None:
            known = float(self.similarity[np.ix_(ordered, ordered)].sum() / 2)
            self._known_likeness[ordered] = known
        return known

    def features(self, layout: "Layout", hyper: Hyperparameters) -> csr_array:
        """[T, 2 + N]: what multiplies m, b and theta."""
        slope = np.maximum(layout.sizes, 1) ** -hyper.dilution
        rows = np.repeat(np.arange(len(layout.sizes)), layout.sizes)
        ends = np.concatenate([[0], np.cumsum(layout.sizes + _FIXED)])
        first = ends[:-1]
        columns, values = np.empty(ends[-1], dtype=np.int64), np.empty(ends[-1])
        columns[first], columns[first + 1] = 0, 1
        values[first], values[first + 1] = slope * layout.sizes, slope * layout.similarity
        rest = np.ones(ends[-1], dtype=bool)
        rest[first], rest[first + 1] = False, False
        columns[rest] = _FIXED + layout.members
        values[rest] = slope[rows] * (1 + hyper.recency * layout.places)
        return csr_array((values, columns, ends), shape=(len(layout.sizes), _FIXED + self.demonstrations))

    def prior_precision(self, hyper: Hyperparameters, own_effect: Floats) -> tuple[Floats, float]:
        """[Q + 2 + N, Q + 2 + N] of beta, and its log determinant."""
        count, size = self.questions, self.questions + _FIXED + self.demonstrations
        precision = np.zeros((size, size))
        shared = _ANY_LEVEL**2 / (_QUESTION**2 + count * _ANY_LEVEL**2)
        precision[:count, :count] = (np.eye(count) - shared) / _QUESTION**2
        log_determinant = -2 * count * math.log(_QUESTION) + math.log1p(-count * shared)
        precision[count, count], precision[count + 1, count + 1] = _ANY**-2, _LIKENESS**-2
        log_determinant -= 2 * math.log(_ANY * _LIKENESS)
        effects, further = self._effects_precision(hyper, own_effect)
        precision[count + _FIXED :, count + _FIXED :] = effects
        return precision, log_determinant + further

    def usual_variances(self, hyper: Hyperparameters) -> Floats:
        """Of theta a priori with r = 1; [N]."""
        told = hyper.told if self._has_embedding else 0.0
        variances: Floats = hyper.effect**2 * (told * (self._embedding**2).sum(axis=1) + 1 - told)
        return variances

    def _effects_precision(self, hyper: Hyperparameters, own_effect: Floats) -> tuple[Floats, float]:
        """Of theta, by Woodbury's identity, and its log determinant."""
        told = hyper.told if self._has_embedding else 0.0
        free, rank = 1 - told, len(self._gram)
        inner = np.eye(rank) + told / free * self._gram
        scaled = self._embedding / np.sqrt(own_effect * free * hyper.effect**2)[:, None]
        precision: Floats = scaled @ np.linalg.solve(inner, scaled.T * (-told / free))
        precision[np.diag_indices_from(precision)] += 1 / (own_effect * free * hyper.effect**2)
        log_covariance = self.demonstrations * math.log(free * hyper.effect**2) + np.linalg.slogdet(inner)[1]
        return precision, -float(log_covariance + np.log(own_effect).sum())


_FIRST_ROUNDS = 2  # of EM; a fit that goes on from an earlier one needs one more
_FIRST_STEP = np.array([0.4, 0.5, 0.4, 0.2, 0.1, 0.15])


@dataclass(frozen=True, slots=True)
class Layout:
    """Sets taken apart: sizes and likeness of each, [T]; members and their places one after the other."""

    sizes: NDArray[np.int64]
    members: NDArray[np.int64]
    places: Floats
    similarity: Floats


class _Data:
    """Scores in the model's units, counted."""

    def __init__(self, scores: ObservedScores, model: EffectsModel) -> None:
        self.sets = list(scores.sets)
        self.rows, self.asked = np.concatenate(scores.rows), np.concatenate(scores.questions)
        self.values: Floats = np.concatenate(scores.values) / model.scale
        self.layout = model.layout(self.sets)
        self.largest = int(self.layout.sizes.max())

    def by_set(self, values: Floats) -> Floats:
        """Sums over each set's scores: [n] to [T]."""
        sums: Floats = np.bincount(self.rows, values, len(self.sets)).astype(float)
        return sums

    def by_question(self, values: Floats, count: int) -> Floats:
        """Sums over each question's scores: [n] to [Q]."""
        sums: Floats = np.bincount(self.asked, values, count).astype(float)
        return sums


class Fit:
    """The posterior of the model for some scores at some hyperparameters.

    Attributes:
        hyper: the hyperparameters.
        own: h_q and r_c.
        step: of the search for hyperparameters, for the next fit.
        mean: of beta, [Q + 2 + N], in the model's units.
        factor: lower Cholesky factor of beta's posterior precision.
        log_evidence: log marginal likelihood.
    """

    def __init__(
        self, model: EffectsModel, data: _Data, hyper: Hyperparameters, own: OwnVariances, step: Floats
    ) -> None:
        self.model, self.hyper, self.own, self.step = model, hyper, own, step
        self._data, self._number = data, {one: row for row, one in enumerate(data.sets)}
        weight = (1 / (hyper.noise**2 * own.noise))[data.asked]
        self._total, self._summed = data.by_set(weight), data.by_set(weight * data.values)
        of_set = np.where(data.layout.sizes > 0, hyper.set_effect**2, 0.0)
        self._shrink: Floats = of_set / (1 + of_set * self._total)
        self._met = csr_array((weight, (data.rows, data.asked)), shape=(len(data.sets), model.questions))
        self._features = model.features(data.layout, hyper)
        prior, log_prior = model.prior_precision(hyper, own.effect)
        prior += self._told_precision()
        self.factor: Floats = cholesky(prior, lower=True, overwrite_a=True, check_finite=False)
        target = self._target(weight)
        self.mean: Floats = cho_solve((self.factor, True), target, check_finite=False)
        square = float(weight @ data.values**2 - self._shrink @ self._summed**2 - target @ self.mean)
        log_determinant = 2 * np.log(np.diag(self.factor)).sum() - log_prior - np.log(weight).sum()
        log_determinant += np.log1p(of_set * self._total).sum()
        self.log_evidence = -0.5 * (square + float(log_determinant) + len(weight) * math.log(2 * math.pi))

    def _told_precision(self) -> Floats:
        """X' (D - c w w') X summed over sets; the rows of v are W times a set's mean row of X."""
        count, total = self.model.questions, self._total
        v = hstack([self._met, _scaled(self._features, total)], format="csr")
        precision: Floats = (v.T @ _scaled(v, 1 / total - self._shrink)).toarray()
        met = (self._met.T @ _scaled(self._met, 1 / total)).toarray()
        precision[:count, :count] += np.diag(self._met.sum(axis=0)) - met
        return precision

    def _target(self, weight: Floats) -> Floats:
        """X' (D - c w w') y, summed over sets."""
        asked = self._data.by_question(weight * self._data.values, self.model.questions)
        left = 1 - self._shrink * self._total
        return np.concatenate(
            [asked - self._met.T @ (self._shrink * self._summed), self._features.T @ (left * self._summed)]
        )

    def own_variances(self) -> OwnVariances:
        """What this posterior says of h and r, for the next one."""
        return OwnVariances(self._own_noise(), self._own_effect())

    def _own_effect(self) -> Floats:
        """r_c: 1 / E[1 / r_c] under its posterior, with E[theta_c^2] from this one; [N]. Where nothing is known of a
        demonstration it stays 1."""
        first = self.model.questions + _FIXED
        spread, _ = dtrtri(self.factor, lower=1)
        square = self.mean[first:] ** 2 + (spread[:, first:] ** 2).sum(axis=0)
        square /= self.model.usual_variances(self.hyper)
        own: Floats = (_FREEDOM + square) / (_FREEDOM + 1)
        return own

    def _own_noise(self) -> Floats:
        """h_q: mean square residuals of each question, shrunk to the pooled one; [Q]."""
        data, count = self._data, self.model.questions
        plain = self._features @ self.mean[count:]
        own = self._shrink * (self._summed - self._met @ self.mean[:count] - self._total * plain)
        fitted = self.mean[data.asked] + (plain + own)[data.rows]
        square = data.by_question((data.values - fitted) ** 2, count) / self.hyper.noise**2
        relative: Floats = (square + _IMAGINARY) / (data.by_question(np.ones(len(fitted)), count) + _IMAGINARY)
        return relative

    def _value_of(self, sets: Sequence[OrderedSet]) -> tuple[csr_array, Floats, Floats]:
        """Values of sets beyond the empty one's as linear functions of beta: rows [B, Q + 2 + N], constants and further
        variances [B]."""
        rows = np.array([self._number.get(one, -1) for one in sets], dtype=np.int64)
        told = rows >= 0
        shrink = np.where(told, self._shrink[rows], 0.0)
        further = np.where(told, shrink, [self.hyper.set_effect**2 * (len(one) > 0) for one in sets])
        left = np.where(told, 1 - shrink * self._total[rows], 1.0)
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
        same = np.array([one == over for one in sets])
        variances = (spread**2).sum(axis=0) + np.where(same, 0.0, further[:-1] + further[-1])
        return means * self.model.scale, np.sqrt(variances) * self.model.scale

    def probability_better(self, one: OrderedSet, over: OrderedSet) -> float:
        """Posterior probability that a set is worth more than the set `over`, in [0, 1]; averaged over how strong all
        effects are, since the likeliest strength alone promises too much where there is no signal. A search may count
        on usual effects; a proof may not: here every strength, down to nearly none, is as likely as another
        beforehand, and no demonstration is taken for an exception."""
        fits = [self._with_effect(self.hyper.effect * 2.0**power) for power in _POWERS]
        logs = np.array([fit.log_evidence for fit in fits])
        weights = np.exp(logs - logs.max())
        return float(weights @ [fit._probability(one, over) for fit in fits] / weights.sum())

    def _with_effect(self, effect: float) -> "Fit":
        alike = replace(self.own, effect=np.ones(self.model.demonstrations))
        return Fit(self.model, self._data, replace(self.hyper, effect=effect), alike, self.step)

    def _probability(self, one: OrderedSet, over: OrderedSet) -> float:
        means, spreads = self.gains([one], over)
        return float(ndtr(means[0] / spreads[0])) if spreads[0] > 0 else 0.5

    def draws(self, count: int, temper: float, draw: np.random.Generator) -> Floats:
        """[count, Q + 2 + N] samples of beta, their deviations from the mean shrunk by `temper`."""
        normal = draw.normal(size=(len(self.mean), count))
        deviations = solve_triangular(self.factor, normal, lower=True, trans="T", check_finite=False)
        samples: Floats = self.mean + temper * deviations.T
        return samples

    def worths(self, betas: Floats) -> Floats:
        """m + theta of samples of beta: [..., Q + 2 + N] to [..., N]."""
        count = self.model.questions
        worths: Floats = betas[..., count + _FIXED :] + betas[..., count : count + 1]
        return worths

    def likeness_loss(self, betas: Floats) -> Floats:
        """b of samples of beta: [..., Q + 2 + N] to [...]."""
        loss: Floats = betas[..., self.model.questions + 1]
        return loss

    def sampled_values(
        self, sets: Sequence[OrderedSet], betas: Floats, temper: float, draw: np.random.Generator
    ) -> Floats:
        """Values of sets under samples of beta, what each set does of its own drawn too, in points: [J, B]."""
        functions, constants, further = self._value_of(sets)
        own = draw.normal(size=(len(betas), len(sets))) * np.sqrt(further) * temper
        values: Floats = ((functions @ betas.T).T + constants + own) * self.model.scale
        return values


def _beside(blocks: Sequence[Floats]) -> Floats:
    """Columns of several blocks, [N, any] each, beside each other: centred, with rows of mean square length 1, to which
    every block that is not constant contributes the same."""
    telling = [block - block.mean(axis=0) for block in blocks if (block != block[:1]).any()]
    if not telling:
        return np.zeros((len(blocks[0]), 1))
    return np.hstack([block / np.sqrt((block**2).sum(axis=1).mean() * len(telling)) for block in telling])


def _scaled(rows: csr_array, factors: Floats) -> csr_array:
    """Each row times its factor."""
    return csr_array((rows.data * np.repeat(factors, np.diff(rows.indptr)), rows.indices, rows.indptr), rows.shape)


@cache
def _places(size: int) -> Floats:
    """-1 for the first to 1 for the last; 0 for one alone."""
    return np.linspace(-1, 1, size) if size > 1 else np.zeros(size)
