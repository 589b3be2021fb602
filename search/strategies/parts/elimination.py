"""Who leaves a race: rules over scores on the same questions."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from search.problem.candidate import Candidate
from search.strategies.parts.race import Rule, Told

PairedTest = Literal["t", "wilcoxon"]
_LEAST = 4  # questions; fewer prove nothing


def by_test(test: PairedTest, p_value: float, winners: int = 1) -> Rule:
    """Those leave who are worse than the best by a one-sided paired test on all common questions (F-race: Birattari et
    al. 2002). The best `winners` stay whatever it says."""

    def rule(scores: Mapping[Candidate, Told]) -> Sequence[Candidate]:
        names, table = _table(scores)
        means = table.mean(axis=1) if table.size else np.zeros(len(names))
        order = np.argsort(-means, kind="stable")
        if table.shape[1] < _LEAST:
            return names
        worse = _p_values(test, table[order[0]] - table)
        first = set(order[:winners].tolist())
        return [name for place, name in enumerate(names) if place in first or worse[place] >= p_value]

    return rule


def by_rank(keep: float, winners: int = 1) -> Rule:
    """A share `keep` stays, the best by mean on all common questions, never fewer than `winners` (successive halving:
    Karnin et al. 2013)."""

    def rule(scores: Mapping[Candidate, Told]) -> Sequence[Candidate]:
        names, table = _table(scores)
        means = table.mean(axis=1) if table.size else np.zeros(len(names))
        stay = np.argsort(-means, kind="stable")[: max(winners, math.ceil(keep * len(names)))]
        return [name for place, name in enumerate(names) if place in set(stay.tolist())]

    return rule


def _table(scores: Mapping[Candidate, Told]) -> tuple[list[Candidate], NDArray[np.float64]]:
    """Scores on the questions that all have, [candidates, questions]."""
    names = list(scores)
    common = [question for question in scores[names[0]] if all(question in told for told in scores.values())]
    return names, np.array([[scores[name][question] for question in common] for name in names]).reshape(len(names), -1)


def _p_values(test: PairedTest, ahead: NDArray[np.float64]) -> NDArray[np.float64]:
    """One-sided, of the hypothesis that the best is not ahead: differences [candidates, questions] to [candidates]."""
    count = ahead.shape[1]
    if test == "t":
        error = ahead.std(axis=1, ddof=1) / math.sqrt(count)
        mean = ahead.mean(axis=1)
        statistic = np.divide(mean, error, out=np.where(mean > 0, np.inf, 0.0), where=error > 0)
        values: NDArray[np.float64] = 1 - stdtr(count - 1, statistic)
        return values
    from scipy.stats import wilcoxon  # noqa: PLC0415 -- takes a second to import

    differing = np.any(ahead != 0, axis=1)
    values = np.ones(len(ahead))
    if differing.any():
        values[differing] = wilcoxon(
            ahead[differing], axis=1, alternative="greater", zero_method="zsplit", method="approx"
        ).pvalue
    return values
