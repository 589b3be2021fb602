"""A mean of the judge's values with a cheap judge's as control variate: prediction-powered inference.

The judge says `y` of n questions, the cheap judge `f` of the same and of N further ones, on a scale of its own. Then

    mean(y) - weight * (mean(f of the n) - mean(f of the N))

has the same expectation as mean(y), whatever the weight and whatever the cheap judge says, as long as it is chance on
which questions the judges fail; where it is not, that does not hold. Where it
has said f of m of the n alone, the variance is

    m / n**2 * var(y - weight * n / m * f) + (n - m) / n**2 * var(y) + weight**2 * var(f) / N

which is least at m / n * cov(y, f) / (var(f) * (1 + m / N)). The weight is estimated,
and drawn to 0 as a positive-part James-Stein estimate is: a correlation that m questions cannot tell from none has
weight 0, so that a cheap judge that tells nothing leaves the plain mean.

Angelopoulos, Bates, Fannjiang, Jordan and Zrnic, "Prediction-powered inference", Science 2023; Angelopoulos, Duchi and
Zrnic, "PPI++", arXiv:2311.01453, 2023.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from search.statistics.estimates import Estimate, estimate
from search.statistics.intervals import Bounds, is_students
from search.statistics.quantiles import of_student

Unused = Literal["few in common", "few further", "not Student's", "no correlation"]
"""Why a cheap judge's values have no weight."""

Floats = NDArray[np.float64]

LEAST = 8
"""Questions that both have judged, and that the cheap judge alone has: with fewer the weight is luck."""


@dataclass(frozen=True, slots=True)
class PredictionPowered:
    """A mean that two judges have told together.

    Attributes:
        mean: with its interval; `n` counts the judge's questions.
        plain: the same of the judge's values alone.
        weight: of the cheap judge's values, in points of the judge for one of its own; 0 where it is not used.
        correlation: of the two judges' values over the questions in common, in [-1, 1]; None where these are too few
            or one of the judges says the same of all.
        common: questions that both have scored, m.
        further: questions that the cheap judge alone has scored, N.
        width: of the interval, relative to that of the judge's values alone.
        unused: why the weight is 0; None where it is not.
    """

    mean: Estimate
    plain: Estimate
    weight: float
    correlation: float | None
    common: int
    further: int
    width: float
    unused: Unused | None = None


def prediction_powered(
    judged: Mapping[str, float], screened: Mapping[str, float], confidence: float, bounds: Bounds | None = None
) -> PredictionPowered | None:
    """Return the mean of the judge's values; None where one of the two has said nothing of its own.

    Args:
        judged: the judge's values, by question, [n].
        screened: the cheap judge's, of m of these and of N further questions, [m + N].
        confidence: in (0, 1).
        bounds: of the judge's values; None where they are not known.
    """
    both = [name for name in judged if name in screened]
    alone = np.array([value for name, value in screened.items() if name not in judged])
    plain = estimate([*judged.values()], confidence, bounds=bounds)
    if plain is None or not both or not len(alone):
        return None
    everything = np.array([*judged.values()])
    values, cheap = (np.array([side[name] for name in both]) for side in (judged, screened))
    correlation = _correlation(values, cheap)
    weight = _weight(values, cheap, alone, correlation) * len(both) / len(judged)
    unused: Unused | None = None
    if len(both) < LEAST:
        unused = "few in common"
    elif len(alone) < LEAST:
        unused = "few further"
    elif not all(is_students(scores, confidence, bounds) for scores in (everything, values)):
        unused = "not Student's"
    elif weight == 0:
        unused = "no correlation"
    if unused:
        return PredictionPowered(plain, plain, 0.0, correlation, len(both), len(alone), 1.0, unused)
    mean = float(everything.mean() - weight * (cheap.mean() - alone.mean()))
    half = of_student(len(both) - 2, confidence) * math.sqrt(_variance(everything, values, cheap, alone, weight))
    powered = Estimate(mean, mean - half, mean + half, plain.n).inside(bounds)
    width = 2 * half / (plain.high - plain.low)
    return PredictionPowered(powered, plain, weight, correlation, len(both), len(alone), width)


def _correlation(values: Floats, cheap: Floats) -> float | None:
    """None where there are too few values, or those of one side are the same."""
    if len(values) < LEAST or not values.std() or not cheap.std():
        return None
    return float(np.corrcoef(values, cheap)[0, 1])


def _weight(values: Floats, cheap: Floats, alone: Floats, correlation: float | None) -> float:
    """Return the weight, drawn to 0, where both have judged all that the judge has."""
    if correlation is None or correlation <= 0:
        return 0.0
    count = len(values)
    strength = (count - 2) * correlation**2 / max(1e-12, 1 - correlation**2)  # 1 on average without any correlation
    spread = float(np.concatenate([cheap, alone]).var(ddof=1))
    best = float(np.cov(values, cheap)[0, 1]) / (spread * (1 + count / len(alone)))
    return best * max(0.0, 1 - 1 / strength)


def _variance(everything: Floats, values: Floats, cheap: Floats, alone: Floats, weight: float) -> float:
    """Return the variance of the mean; see the module's docstring."""
    count, common = len(everything), len(values)
    residual = float((values - weight * count / common * cheap).var(ddof=1)) * (common - 1) / (common - 2)
    unscreened = (count - common) * float(everything.var(ddof=1))
    return (common * residual + unscreened) / count**2 + weight**2 * float(alone.var(ddof=1)) / len(alone)
