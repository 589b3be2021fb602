"""What demonstrations do, learnt from scores of sets of them: a hierarchical Bayesian linear model.

The score of the ordered set S = (c_1 ... c_n) on question q is taken to be

    y = d_q + n^-dilution * ( sum_j (1 + recency * x_j) * (m + theta_{c_j}) + b * similarity(S) ) + u_S + noise_q

    d_q        level of the question, N(nu, 1.5^2) with nu ~ N(0, 3^2): the empty set's score on it. Sharing it is what
               pairs all sets that met a question.
    x_j        place in the prompt, from -1 (first) to 1 (last), 0 alone
    e_t        added to y in fits `with_drift`: how far the judge's level has moved by the t-th of 12 periods, a random
               walk from 0 with steps N(0, drift^2), drift 0.12. The guard weighs such a fit against one without
               (`search.statistics.certainty`)
    m          what any demonstration at all does, N(0, 0.3^2): with the power of n, the slope in the size of a set
    theta      effects of the demonstrations, N(0, effect^2 * R (s * E E' + (1 - s) * I) R), s the explained share: a
               ridge regression on the embedding E [N, p] (rows of mean square length 1) plus a free effect for each.
               R^2 = diag(r_c) makes it heavy-tailed, since some demonstrations help or harm far more than most: r_c is
               a demonstration's own variance relative to the pooled one, such that each effect has Student's t with 5
               degrees of freedom.
               Where there are hints, numbers for each demonstration, E is [V, h_1 ... h_k] / sqrt(1 + k): V the
               embedding of texts, h a hint with mean 0 and variance 1, so that one column tells a priori as much as
               all of V; without V they stand alone
    similarity sum over pairs of max(0, cosine - 0.3) / 0.7 of the embeddings of texts; b ~ N(0, 0.15^2)
    u_S        what the set does beyond the sum (interactions, order), N(0, set_effect^2), one for each ordered set
    noise_q    N(0, noise^2 * h_q), h_q the question's own variance, relative to the pooled one and shrunk to it by 20
               imaginary observations

Scores are in units in which a plausible judge's scores of one prompt spread by 1.8, so that the priors of the
hyperparameters (effect about 0.2, explained share 0.3, set effect 0.08, noise 1.12, recency 0.12, dilution 0.37) mean
something. The hyperparameters maximise marginal likelihood times prior. h and r are what the posterior of the round
before says of them (EM for Student's t: Lange, Little and Taylor 1989; each demonstration by itself).

With everything linear once those are fixed, beta = (d, m, b, theta) has a normal posterior. u is integrated out set by
set: the n_S scores of S have the precision D - c w w', with w the noise precisions 1 / (noise^2 h_q), D = diag(w),
W = sum w and c = set_effect^2 / (1 + set_effect^2 W). So the posterior precision is P + X' (D - c w w') X summed over
sets, of size Q + K + 2 + N with K periods (none in fits without a drift), formed from sparse counts and factored once;
log determinants follow from Sylvester's identity.
Given beta, u_S is normal with mean c * sum_i w_i (y_i - x_i beta) and variance c. The empty set has no u.

Sources: Gelman et al., Bayesian Data Analysis, 3rd edition, chapters 14 and 15; Rasmussen and Williams, Gaussian
Processes for Machine Learning, section 5.4.1. A dense kernel over scores is the same model and was rejected: its cost
grows with the cube of the scores, this one's with the cube of questions plus demonstrations.
"""

import math
from copy import copy
from dataclasses import replace
from typing import Self

import numpy as np
from scipy.linalg import LinAlgError

from search.statistics.counted_scores import CountedScores
from search.statistics.effects_posterior import Fit
from search.statistics.effects_prior import EffectsPrior, OtherEffects
from search.statistics.hyperparameters import Hyperparameters, OwnVariances
from search.statistics.observed_scores import Floats, ObservedScores

USUAL_SPREAD = 1.8
_FIRST_ROUNDS = 2  # of EM; a fit that goes on from an earlier one needs one more
_PERIODS = 12
_DRIFT = 0.12  # from one period to the next, in the model's units
_LOG_ODDS_OF_NONE = 1.5  # at which a drift is said; the guard weighs one by its own prior at any odds
_AGREEMENTS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 0.97)  # alike probable beforehand
_FIRST_STEP = np.array([0.4, 0.5, 0.4, 0.2, 0.1, 0.15])


class EffectsModel(EffectsPrior):
    """The model for given questions and demonstrations; see the module's docstring."""

    def rescaled(self, scale: float) -> Self:
        """Return the same model with another scale."""
        other = copy(self)
        other.scale = scale
        return other

    def fit(self, scores: ObservedScores, start: "Fit | None" = None, sweeps: int = 2) -> Fit:
        """The posterior at the best hyperparameters found from those of `start` (an earlier fit of the same search).

        Args:
            sweeps: passes over the hyperparameters; 0 keeps them.
        """
        data = CountedScores(scores, self)
        hyper = start.hyper if start else Hyperparameters()
        own = start.own if start else self._alike()
        if sweeps and self.other is not None:
            hyper = self._with_agreement(data, hyper, own)
        hyper, step = self._climb(data, hyper, own, sweeps, start.step if start else _FIRST_STEP)
        for _ in range(1 if start else _FIRST_ROUNDS):
            own = Fit(self, data, hyper, own, step).own_variances()
        return Fit(self, data, hyper, own, step)

    def with_other_effects(self, other: OtherEffects) -> Self:
        """Return the same model with what another judge's scores say of the effects."""
        model = copy(self)
        model.other = other
        return model

    def _with_agreement(self, data: CountedScores, hyper: Hyperparameters, own: OwnVariances) -> Hyperparameters:
        """Hyperparameters with the posterior mean of the agreement, the others as they are."""
        logs = np.array([self._goodness(data, replace(hyper, agreement=value), own) for value in _AGREEMENTS])
        weights = np.exp(logs - logs.max())
        return replace(hyper, agreement=float(weights @ np.array(_AGREEMENTS) / weights.sum()))

    def with_drift(self, scores: ObservedScores, fit: "Fit") -> "Fit":
        """The posterior with a level of the judge that moves slowly, else as `fit`, which is without."""
        other = copy(self)
        other.periods = min(_PERIODS, len(scores.before))
        return Fit(other, CountedScores(scores, other), replace(fit.hyper, drift=_DRIFT), fit.own, fit.step)

    def at(self, scores: ObservedScores, hyper: Hyperparameters, own: OwnVariances | None = None) -> Fit:
        """The posterior at given hyperparameters, all questions and all demonstrations alike if not said otherwise."""
        return Fit(self, CountedScores(scores, self), hyper, own or self._alike(), _FIRST_STEP)

    def _alike(self) -> OwnVariances:
        return OwnVariances(np.ones(self.questions), np.ones(self.demonstrations))

    def _climb(
        self, data: CountedScores, hyper: Hyperparameters, own: OwnVariances, sweeps: int, step: Floats
    ) -> tuple[Hyperparameters, Floats]:
        """Pattern search, one coordinate at a time: a step that helps grows, one that does not shrinks."""
        free, step, agreed = hyper.free(), step.copy(), hyper.agreement
        best = self._goodness(data, hyper, own) if sweeps else 0.0
        places = [place for place in range(len(free)) if self._matters(place, data)]
        for _ in range(sweeps):
            for place in places:
                for sign in (1.0, -1.0):
                    tried = free.copy()
                    tried[place] += sign * step[place]
                    goodness = self._goodness(data, replace(Hyperparameters.from_free(tried), agreement=agreed), own)
                    if goodness > best + 1e-6:
                        free, best = tried, goodness
                        step[place] *= sign * 1.5
                        break
                else:
                    step[place] *= 0.5
        return replace(Hyperparameters.from_free(free), agreement=agreed), np.maximum(np.abs(step), 0.05) * np.sign(
            step
        )

    def _matters(self, place: int, data: CountedScores) -> bool:
        """Whether the scores can say anything about this hyperparameter."""
        return (self._has_embedding or place != 1) and (data.largest > 1 or place not in (4, 5))

    def _goodness(self, data: CountedScores, hyper: Hyperparameters, own: OwnVariances) -> float:
        try:
            return Fit(self, data, hyper, own, _FIRST_STEP).log_evidence + hyper.log_prior()
        except LinAlgError:
            return -math.inf


def drift_between(still: Fit, moving: Fit) -> float:
    """How far the judge's level has moved by a fit `with_drift`, in points; 0 where the scores do not say that it has
    moved rather than stood `still`, which is the likelier by far beforehand."""
    return moving.drift if moving.log_evidence > still.log_evidence + _LOG_ODDS_OF_NONE else 0.0
