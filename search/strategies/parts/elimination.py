"""Who leaves a race: rules over scores on the same questions."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from scipy.special import stdtr

from search.problem.candidate import Candidate
from search.strategies.parts.race import Rule, Told
from search.strategies.parts.score_table import Floats, fair_means, score_table

PairedTest = Literal["t", "wilcoxon"]
_LEAST = 4  # questions; fewer prove nothing


def by_test(test: PairedTest, p_value: float, winners: int = 1) -> Rule:
    """Return the rule by which those leave who are worse than the best by a one-sided paired test on the questions that
    both have scores for (F-race: Birattari et al. 2002). The best `winners` stay whatever it says."""

    def rule(scores: Mapping[Candidate, Told]) -> Sequence[Candidate]:
        names, table = list(scores), score_table(scores)
        order = np.argsort(-fair_means(table), kind="stable")
        worse = _p_values(test, table[order[0]] - table)
        first = set(order[:winners].tolist())
        return [name for place, name in enumerate(names) if place in first or worse[place] >= p_value]

    return rule


def by_rank(keep: float, winners: int = 1) -> Rule:
    """Return the rule by which a share `keep` stays, the best by mean on common questions, never fewer than `winners`
    (successive halving: Karnin et al. 2013)."""

    def rule(scores: Mapping[Candidate, Told]) -> Sequence[Candidate]:
        names, means = list(scores), fair_means(score_table(scores))
        stay = np.argsort(-means, kind="stable")[: max(winners, math.ceil(keep * len(names)))]
        return [name for place, name in enumerate(names) if place in set(stay.tolist())]

    return rule


def _p_values(test: PairedTest, ahead: Floats) -> Floats:
    """Return one-sided p values of the hypothesis that the best is not ahead: differences [candidates, questions], NaN
    where one of the two has no score, to [candidates]; 1 where both have too few."""
    values = np.ones(len(ahead))
    counts = (~np.isnan(ahead)).sum(axis=1)
    for count in np.unique(counts[counts >= _LEAST]):
        rows = np.flatnonzero(counts == count)
        values[rows] = _p_values_of_common(test, ahead[rows][~np.isnan(ahead[rows])].reshape(len(rows), count))
    return values


def _p_values_of_common(test: PairedTest, ahead: Floats) -> Floats:
    """As `_p_values`, without missing scores."""
    count = ahead.shape[1]
    if test == "t":
        error = ahead.std(axis=1, ddof=1) / math.sqrt(count)
        mean = ahead.mean(axis=1)
        statistic = np.divide(mean, error, out=np.where(mean > 0, np.inf, 0.0), where=error > 0)
        values: Floats = 1 - stdtr(count - 1, statistic)
        return values
    from scipy.stats import wilcoxon  # noqa: PLC0415 -- takes a second to import

    differing = np.any(ahead != 0, axis=1)
    values = np.ones(len(ahead))
    if differing.any():
        values[differing] = wilcoxon(
            ahead[differing], axis=1, alternative="greater", zero_method="zsplit", method="approx"
        ).pvalue
    return values
