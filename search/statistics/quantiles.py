"""How many standard errors an interval reaches to either side.

`scipy.special` has both quantiles, and takes 0.2 s and 17 MiB to import: `status`, `list` and `watch` do without.

Press, Teukolsky, Vetterling and Flannery, "Numerical Recipes", third edition, 6.4: the incomplete beta function as a
continued fraction, by Lentz's method. Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.5: the
expansion for many degrees of freedom.
"""

import math
from functools import lru_cache
from statistics import NormalDist

_LEAST = 1e-20  # probability, and degrees of freedom: less is nothing beside the last digit of a confidence
_FARTHEST = 1e100
_MANY = 1e5  # degrees of freedom: of more, lgamma loses what two terms of the expansion have
_NEAR = 1e-8  # of the root: Newton's next step is exact
_EXACT = 1e-15
_MOST_STEPS = 1_000  # Newton's method takes up to 8, the fraction up to 70


def of_normal(confidence: float) -> float:
    """Return the z that a normal variable stays within, to either side, with this probability in (0, 1)."""
    return abs(NormalDist().inv_cdf((1 - confidence) / 2))


@lru_cache(1024)
def of_student(freedom: float, confidence: float) -> float:
    """Return the t that Student's variable stays within, to either side, with this probability in (0, 1); infinity
    where it is beyond 1e100.

    Args:
        freedom: its degrees of freedom, beyond 0; need not be whole, may be infinite. NaN for all others.
    """
    if not freedom > 0:
        return math.nan
    t = z = of_normal(confidence)
    if freedom > _MANY:
        return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / 96 / freedom / freedom
    for _ in range(_MOST_STEPS):
        if not 0 < t < _FARTHEST:
            break
        # Newton's method, for the logarithm of the smaller part as a function of that of t: concave, so it arrives.
        within, beyond, slope = _parts(t, max(freedom, _LEAST))
        if confidence < 0.5:
            step = math.log(confidence / within) * within / slope
        else:
            step = math.log(beyond / (1 - confidence)) * beyond / slope
        t *= math.exp(min(step, math.log(_FARTHEST)))
        if abs(step) < _NEAR:
            break
    return t if t < _FARTHEST else math.inf


def _parts(t: float, freedom: float) -> tuple[float, float, float]:
    """The probabilities within t and beyond it, and how much of the one becomes the other where the logarithm of t
    grows by one."""
    a, b, square = freedom / 2, 0.5, t * t / freedom
    x, rest = 1 / (1 + square), 1 / (1 + 1 / square)
    gammas = math.lgamma(a + b) - math.lgamma(a)
    front = math.exp(gammas - a * math.log1p(square)) * math.sqrt(rest / math.pi)
    if x < (a + 1) / (a + b + 2):
        beyond = front * _fraction(a, b, x) / a
        return max(1 - beyond, _LEAST), beyond, 2 * front
    within = front * _fraction(b, a, rest) / b
    return within, 1 - within, 2 * front


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for factor in (even, odd):
            c, d = 1 + factor / c, 1 / (1 + factor * d)
            value *= c * d
        if abs(c * d - 1) < _EXACT:
            break
    return value
