"""Means over questions and over random draws of a prompt: both are samples, and the interval speaks of further ones.

A condition with D draws put to the same Q questions is a two-way layout without replicates,

    y_dq = mean + draw_d + question_q + rest_dq

with all three random. Its mean has the variance M_q / (D Q) + max(0, M_d - M_dq) / (D Q), M the mean squares of
questions, draws and rest: the first is the variance of the questions' averages, known with Q - 1 degrees of freedom,
the second what the choice of draws adds, known with D - 1. Each end of the interval lies as far from the mean as the
root of the sum of two squares (Howe 1974; Zou and Donner 2008): the distance to that end of the interval of the
questions' averages, which knows the ends of the scale (`search.statistics.intervals`), and Student's quantile times the
standard deviation that draws add. The p-value is the level at which the interval ends at 0. A difference of two
conditions is the same of the differences, question by question and draw by draw where both have draws: what they share
cancels.

Rejected: Satterthwaite's degrees of freedom for the sum. With three draws that differ much, 92.6 to 93.5 % of its 95 %
intervals hold the truth; of these 94.5 to 96.5 % (`python -m search.bench.experiment_intervals`).

Sources: Searle, Casella and McCulloch, Variance Components, chapter 4; Howe, Approximate confidence limits on the mean
of X + Y, JASA 1974; Zou and Donner, Construction of confidence limits about effect measures, Statistics in Medicine
2008; Fieller 1954; Holm 1979.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.statistics.estimates import Estimate
from search.statistics.intervals import Bounds, mean_interval, of_difference
from search.statistics.quantiles import of_student

Floats = NDArray[np.float64]
Draws = Mapping[int, Mapping[str, float]]
"""Scores by question, by number of the draw; one draw where nothing is drawn."""

_SMALLEST = 1e-15  # p-value; a confidence nearer to 1 cannot be told from it
_EQUAL = 1e-9


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference, with its test.

    Attributes:
        estimate: with its interval; `n` are questions.
        p_value: two-sided, of no difference, >= 1e-15; 1 where the interval says nothing: of a single question, or of
            equal differences on a scale whose ends are not known.
    """

    estimate: Estimate
    p_value: float


def mean_of_draws(draws: Draws, confidence: float, failed: int = 0, bounds: Bounds | None = None) -> Estimate | None:
    """Return the mean over the questions that every draw has a score for; None where there is none.

    Args:
        bounds: lowest and highest score there can be; None where that is not known.
    """
    table = _table(draws)
    return None if table is None else _estimate(table, confidence, bounds, failed)


def difference_of_draws(
    first: Draws, second: Draws, confidence: float, bounds: Bounds | None = None
) -> Difference | None:
    """Return the mean of `first - second`, paired by question; draws of both are paired by their number, and a
    condition without draws is compared with each of the other's. None where they have no question or no draw in common.

    Args:
        bounds: of scores, as `mean_of_draws` takes them.
    """
    paired = _differences(first, second)
    table = None if paired is None else _table(paired)
    if table is None:
        return None
    reach = of_difference(bounds)
    return Difference(_estimate(table, confidence, reach), _p_value(table, confidence, reach))


def _differences(first: Draws, second: Draws) -> Draws | None:
    if len(first) == 1 or len(second) == 1:
        pairs = [(first[draw], second[other]) for draw in first for other in second]
    else:
        pairs = [(first[number], second[number]) for number in first if number in second]
    if not pairs:
        return None
    return {
        at: {name: own[name] - other[name] for name in own if name in other} for at, (own, other) in enumerate(pairs)
    }


def table_interval(table: Floats, confidence: float, bounds: Bounds | None) -> tuple[float, float]:
    """Return the ends of the interval of the mean of scores or differences, [D, Q], that lie within `bounds`."""
    low, high = mean_interval(table.mean(axis=0), confidence, bounds)
    added = _added_by_draws(table)
    if added == 0:
        return low, high
    mean, of_draws = float(table.mean()), _quantile_of_draws(len(table), confidence) * math.sqrt(added)
    low, high = mean - math.hypot(mean - low, of_draws), mean + math.hypot(high - mean, of_draws)
    return (low, high) if bounds is None else (max(bounds[0], low), min(bounds[1], high))


def share_of_gap(
    reached: Draws, base: Draws, target: Draws, confidence: float, bounds: Bounds | None = None
) -> Estimate | None:
    """How much of the way from `base` to `target` is reached: the ratio of two mean differences on the same questions,
    with Fieller's interval. None without a common question; infinite ends where it is not clear that there is a gap.

    Args:
        bounds: of scores, as `mean_of_draws` takes them.
    """
    names = _common([reached, base, target])
    if not names:
        return None
    gain, gap = (_average(draw, names) - _average(base, names) for draw in (reached, target))
    if gap.mean() == 0:
        return None
    n, ratio = len(names), float(gain.mean() / gap.mean())
    if n == 1:
        return Estimate(ratio, -math.inf, math.inf, 1)
    t = of_student(n - 1, confidence)
    v_gain, v_gap = (_variance_of_mean(values, t, confidence, of_difference(bounds)) for values in (gain, gap))
    v_gain += _draw_variance(reached) * (_quantile_of_draws(len(reached), confidence) / t) ** 2
    both = float(np.cov(gain, gap, ddof=1)[0, 1]) / n
    g = t * t * v_gap / float(gap.mean()) ** 2
    if g >= 1:
        return Estimate(ratio, -math.inf, math.inf, n)
    middle = ratio - (g * both / v_gap if v_gap else 0.0)
    inner = v_gain - 2 * ratio * both + ratio**2 * v_gap - g * (v_gain - (both**2 / v_gap if v_gap else 0.0))
    half = t / abs(float(gap.mean())) * math.sqrt(max(0.0, inner))
    return Estimate(ratio, (middle - half) / (1 - g), (middle + half) / (1 - g), n)


def _quantile_of_draws(count: int, confidence: float) -> float:
    """Student's, with the degrees of freedom of so many draws; 0 where there is one."""
    return of_student(count - 1, confidence) if count > 1 else 0.0


def _variance_of_mean(values: Floats, quantile: float, confidence: float, bounds: Bounds | None) -> float:
    """The variance that gives Student's interval the width of the one that knows the ends of the scale."""
    low, high = mean_interval(values, confidence, bounds)
    mean = float(values.mean())
    return (max(mean - low, high - mean) / quantile) ** 2


def holm(p_values: Sequence[float], level: float) -> list[bool]:
    """Tell the differences that stay when all are looked at together: Holm's step-down test, with a probability of at
    most `level` that a single one among all is false (Holm 1979, Scandinavian Journal of Statistics 6)."""
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    stays, still = [False] * len(p_values), True
    for rank, at in enumerate(order):
        # once one does not stay, no larger p-value does, however small its own bound would let it be
        still = still and p_values[at] <= level / (len(p_values) - rank)
        stays[at] = still
    return stays


def _common(conditions: Sequence[Draws]) -> list[str]:
    """Questions with a score in every draw of every condition, in the first one's order."""
    draws = [scores for condition in conditions for scores in condition.values()]
    return [name for name in draws[0] if all(name in draw for draw in draws)] if draws else []


def _average(draws: Draws, names: Sequence[str]) -> Floats:
    """Means over draws by question, [Q]."""
    average: Floats = np.array([[scores[name] for name in names] for scores in draws.values()]).mean(axis=0)
    return average


def _table(draws: Draws) -> Floats | None:
    """Scores, [D, Q]."""
    names = _common([draws])
    return np.array([[scores[name] for name in names] for scores in draws.values()]) if names else None


def _estimate(table: Floats, confidence: float, bounds: Bounds | None, failed: int = 0) -> Estimate:
    low, high = table_interval(table, confidence, bounds)
    return Estimate(float(table.mean()), low, high, table.shape[1], failed)


def _p_value(table: Floats, confidence: float, bounds: Bounds | None) -> float:
    """The level at which the interval ends at 0, on the side of `1 - confidence` where that interval has it."""
    low, high = table_interval(table, confidence, bounds)
    if table.mean() == 0 or not _EQUAL < high - low < math.inf:
        return 1.0
    level = math.log(1 - confidence)
    smallest, largest = (level, 0.0) if low <= 0 <= high else (math.log(_SMALLEST), level)
    for _ in range(50):
        middle = (smallest + largest) / 2
        low, high = table_interval(table, 1 - math.exp(middle), bounds)
        smallest, largest = (middle, largest) if low <= 0 <= high else (smallest, middle)
    return math.exp(largest)


def _draw_squares(table: Floats) -> tuple[float, float]:
    """Mean squares of draws and of the rest; two draws or more, two questions or more."""
    draws, questions = table.shape
    of_draws = questions * float(table.mean(axis=1).var(ddof=1))
    left = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    return of_draws, float((left**2).sum()) / ((draws - 1) * (questions - 1))


def _draw_variance(draws: Draws) -> float:
    """What the choice of draws adds to the variance of a mean beside that of the questions' averages."""
    table = _table(draws)
    return 0.0 if table is None else _added_by_draws(table)


def _added_by_draws(table: Floats) -> float:
    if min(table.shape) < 2:
        return 0.0
    of_draws, rest = _draw_squares(table)
    return max(0.0, of_draws - rest) / table.size
