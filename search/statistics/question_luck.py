"""What demonstrations do to single questions, which no other question shares.

A demonstration may help one question by chance of its content. All sets that hold it gain from that on this question,
so however often it is judged there, the luck does not average out; only further questions do. Its variance is told from
what is left of scores when the effects model has explained its part: on one question, leftovers r of the sets that met
it have mean 0, since its level is fitted, and go together as far as the sets share demonstrations,

    Cov[r] = C (luck * K + noise * I) C        K = F F', C = I - 1 1' / n

with F how much each demonstration counts in each set (`EffectsPrior.features`). Both variances follow from the sums of
r' K r and r' r over questions, whose expectations are linear in them. Luck may be many times the usual in one task and
nothing in another, so its prior is log-normal; what is said is the posterior's geometric mean.
"""

import math

import numpy as np

from search.statistics.effects_posterior import Fit
from search.statistics.effects_prior import FIXED

_USUAL = 0.25**2  # in the model's units
_GRID = _USUAL * 2 ** np.arange(-6, 6.25, 0.25)
_LOG_SPREAD = 1.2
_WIDER = 1.5  # than with independent leftovers, since sets share demonstrations
_MOST_SETS = 400  # on one question


def luck_variance(fit: Fit) -> float:
    """Return the variance of what a demonstration does to a single question, in the model's units."""
    rows, asked, leftovers = fit.leftovers()
    features = fit.features[:, FIXED:]
    equations, sums = np.zeros((2, 2)), np.zeros(2)
    for question in range(fit.model.questions):
        place = np.flatnonzero(asked == question)[:_MOST_SETS]
        if len(place) > 2:
            met = features[rows[place]]
            kernel = (met @ met.T).toarray()
            centred = kernel - kernel.mean(axis=0)
            left = leftovers[place] - leftovers[place].mean()
            equations += [
                [float((centred * centred.T).sum()), float(np.trace(centred))],
                [float(np.trace(centred)), len(place) - 1],
            ]
            sums += [left @ kernel @ left, left @ left]
    shared = equations[0, 1] / max(1.0, equations[1, 1])
    denominator, numerator = float(equations[0, 0] - shared * equations[0, 1]), float(sums[0] - shared * sums[1])
    if denominator <= 0:
        return _USUAL
    spread = _WIDER * math.sqrt(2 / denominator) * fit.hyper.noise**2
    logs = -((np.log(_GRID / _USUAL) / _LOG_SPREAD) ** 2 + ((numerator / denominator - _GRID) / spread) ** 2) / 2
    weights = np.exp(logs - logs.max())
    return math.exp(float(weights @ np.log(_GRID) / weights.sum()))
