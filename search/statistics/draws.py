"""Means over questions and over random draws of a prompt: both are samples, and the interval speaks of further ones.

A condition with D draws put to the same Q questions is a two-way layout without replicates,

    y_dq = mean + draw_d + question_q + rest_dq

with all three random. Its mean has the variance M_q / (D Q) + max(0, M_d - M_dq) / (D Q), M the mean squares of
questions, draws and rest: the first is the variance of the questions' averages, known with Q - 1 degrees of freedom,
the second what the choice of draws adds, known with D - 1. Half of the interval is the root of the sum of both, each
times the square of its own quantile of Student's distribution (Howe 1974); its p-value is the level at which it ends
at 0. A difference of two conditions is the same of the differences, question by question and draw by draw where both
have draws: what they share cancels.

Rejected: Satterthwaite's degrees of freedom for the sum. With three draws that differ much, 92.6 to 93.5 % of its 95 %
intervals hold the truth; of these 94.5 to 96.5 % (`python -m search.bench.experiment_intervals`).

Sources: Searle, Casella and McCulloch, Variance Components, chapter 4; Howe, Approximate confidence limits on the mean
of X + Y, JASA 1974; Fieller 1954; Holm 1979.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit  # scipy.stats takes a second to import

from search.statistics.estimates import Estimate

Floats = NDArray[np.float64]
Draws = Mapping[int, Mapping[str, float]]
"""Scores by question, by number of the draw; one draw where nothing is drawn."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A paired difference, with its test.

    Attributes:
        estimate: with its interval; `n` are questions.
        p_value: two-sided, of no difference; 1 where a single question tells nothing.
    """

    estimate: Estimate
    p_value: float


@dataclass(frozen=True, slots=True)
class _Spread:
    """The variance of a mean, in its two parts, and the degrees of freedom with which each is known.

    Attributes:
        questions: of the questions' averages over draws.
        draws: added by the choice of draws; 0 where there is one, or where they do not differ more than the rest does.
    """

    questions: float
    of_questions: int
    draws: float
    of_draws: int

    def half(self, level: float) -> float:
        """Half of the two-sided interval that misses with this probability, in (0, 1)."""
        squares = (stdtrit(self.of_questions, level / 2)) ** 2 * self.questions
        if self.draws > 0:
            squares += (stdtrit(self.of_draws, level / 2)) ** 2 * self.draws
        return math.sqrt(squares)

    def p_value(self, mean: float) -> float:
        """The level at which the interval of this mean ends at 0; never below 1e-30."""
        if self.draws == 0:
            scale = math.sqrt(self.questions)
            return float(2 * stdtr(self.of_questions, -abs(mean) / scale)) if scale else float(mean == 0)
        low, high = -30 * math.log(10), 0.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if self.half(math.exp(middle)) > abs(mean) else (low, middle)
        return math.exp(high)


def mean_of_draws(draws: Draws, confidence: float, failed: int = 0) -> Estimate | None:
    """The mean over the questions that every draw has a score for; None where there is none."""
    table = _table(draws)
    return None if table is None else _estimate(table, confidence, failed)


def difference_of_draws(first: Draws, second: Draws, confidence: float) -> Difference | None:
    """Mean of `first - second`, paired by question; draws of both are paired by their number, and a condition without
    draws is compared with each of the other's. None where they have no question or no draw in common."""
    paired = _differences(first, second)
    table = None if paired is None else _table(paired)
    if table is None:
        return None
    spread = _spread(table)
    return Difference(_estimate(table, confidence), 1.0 if spread is None else spread.p_value(float(table.mean())))


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


def share_of_gap(reached: Draws, base: Draws, target: Draws, confidence: float) -> Estimate | None:
    """How much of the way from `base` to `target` is reached: the ratio of two mean differences on the same questions,
    with Fieller's interval. None without a common question; without bounds where it is not clear that there is a gap.
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
    t = float(stdtrit(n - 1, (1 + confidence) / 2))
    v_gain, v_gap = float(gain.var(ddof=1)) / n, float(gap.var(ddof=1)) / n
    v_gain += _draw_variance(reached) * (_quantile_of_draws(reached, confidence) / t) ** 2
    both = float(np.cov(gain, gap, ddof=1)[0, 1]) / n
    g = t * t * v_gap / float(gap.mean()) ** 2
    if g >= 1:
        return Estimate(ratio, -math.inf, math.inf, n)
    middle = ratio - (g * both / v_gap if v_gap else 0.0)
    inner = v_gain - 2 * ratio * both + ratio**2 * v_gap - g * (v_gain - (both**2 / v_gap if v_gap else 0.0))
    half = t / abs(float(gap.mean())) * math.sqrt(max(0.0, inner))
    return Estimate(ratio, (middle - half) / (1 - g), (middle + half) / (1 - g), n)


def _quantile_of_draws(draws: Draws, confidence: float) -> float:
    """Student's, with the degrees of freedom of the draws; 0 where there is one."""
    return float(stdtrit(len(draws) - 1, (1 + confidence) / 2)) if len(draws) > 1 else 0.0


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


def _estimate(table: Floats, confidence: float, failed: int = 0) -> Estimate:
    mean, spread = float(table.mean()), _spread(table)
    if spread is None:
        return Estimate(mean, -math.inf, math.inf, table.shape[1], failed)
    half = spread.half(1 - confidence)
    return Estimate(mean, mean - half, mean + half, table.shape[1], failed)


def _spread(table: Floats) -> _Spread | None:
    """None for a single question."""
    draws, questions = table.shape
    if questions == 1:
        return None
    of_questions = float(table.mean(axis=0).var(ddof=1)) / questions
    return _Spread(of_questions, questions - 1, _added_by_draws(table), draws - 1)


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
