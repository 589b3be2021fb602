"""A mean of the judge's values with a cheap judge's as control variate: prediction-powered inference.

The judge says `y` of n questions, the cheap judge `f` of the same and of N further ones, on a scale of its own. Then

    mean(y) - weight * (mean(f of the n) - mean(f of the N))

has the same expectation as mean(y), whatever the weight and whatever the cheap judge says, and its variance is
var(y - weight * f) / n + weight**2 * var(f) / N, which is least at cov(y, f) / (var(f) * (1 + n / N)). The weight is
estimated, and drawn to 0 as a positive-part James-Stein estimate is: a correlation that n questions cannot tell from
none has weight 0, so that a cheap judge that tells nothing leaves the plain mean.

Angelopoulos, Bates, Fannjiang, Jordan and Zrnic, "Prediction-powered inference", Science 2023; Angelopoulos, Duchi and
Zrnic, "PPI++", arXiv:2311.01453, 2023.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # scipy.stats takes a second to import

from search.statistics.estimates import Estimate, estimate
from search.statistics.intervals import Bounds, is_students

_LEAST = 8  # questions that both have judged: with fewer the weight is luck


@dataclass(frozen=True, slots=True)
class PredictionPowered:
    """A mean that two judges have told together.

    Attributes:
        mean: with its interval; `n` counts the judge's questions.
        plain: the same of the judge's values alone.
        weight: of the cheap judge's values, in points of the judge for one of its own; 0 where it is not used.
        correlation: of the two judges' values over the n questions, in [-1, 1]; 0 where one of them is constant.
        further: questions that the cheap judge alone has scored, N.
        width: of the interval, relative to that of the judge's values alone.
    """

    mean: Estimate
    plain: Estimate
    weight: float
    correlation: float
    further: int
    width: float


def prediction_powered(
    judged: Mapping[str, float], screened: Mapping[str, float], confidence: float, bounds: Bounds | None = None
) -> PredictionPowered | None:
    """Return the mean of the judge's values; None where one of the two has said nothing of its own.

    Args:
        judged: the judge's values, by question.
        screened: the cheap judge's, of these and of further questions, [n + N].
        confidence: in (0, 1).
        bounds: of the judge's values; None where they are not known.
    """
    both = [name for name in judged if name in screened]
    alone = np.array([value for name, value in screened.items() if name not in judged])
    plain = estimate([*judged.values()], confidence, bounds=bounds)
    if plain is None or not both or not len(alone):
        return None
    values, cheap = (np.array([side[name] for name in both]) for side in (judged, screened))
    weight, correlation = _weight(values, cheap, alone)
    usable = len(both) == len(judged) and is_students(values, confidence, bounds)
    if not usable or weight == 0:
        return PredictionPowered(plain, plain, 0.0, correlation, len(alone), 1.0)
    mean = float(values.mean() - weight * (cheap.mean() - alone.mean()))
    residual = float((values - weight * cheap).var(ddof=1)) * (len(both) - 1) / (len(both) - 2)
    variance = residual / len(both) + weight**2 * float(alone.var(ddof=1)) / len(alone)
    half = float(stdtrit(len(both) - 2, (1 + confidence) / 2)) * math.sqrt(variance)
    powered = Estimate(mean, mean - half, mean + half, plain.n).inside(bounds)
    return PredictionPowered(powered, plain, weight, correlation, len(alone), 2 * half / (plain.high - plain.low))


def _weight(values: NDArray[np.float64], cheap: NDArray[np.float64], alone: NDArray[np.float64]) -> tuple[float, float]:
    """The weight, drawn to 0, and the correlation that it rests on."""
    count = len(values)
    if count < _LEAST or len(alone) < 2 or not values.std() or not cheap.std():
        return 0.0, 0.0
    covariance = np.cov(values, cheap)
    correlation = float(covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1]))
    if correlation <= 0:
        return 0.0, correlation
    strength = (count - 2) * correlation**2 / max(1e-12, 1 - correlation**2)  # 1 on average without any correlation
    spread = float(np.concatenate([cheap, alone]).var(ddof=1))
    best = float(covariance[0, 1]) / (spread * (1 + count / len(alone)))
    return best * max(0.0, 1 - 1 / strength), correlation
