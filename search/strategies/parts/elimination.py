"""Rules on who leaves a race, over scores on the same questions."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from scipy.special import stdtr

from search.problem.candidate import Candidate
from search.strategies.parts.race import Rule, Scores
from search.strategies.parts.score_table import Floats, fair_means, score_table

PairedTest = Literal["t", "wilcoxon", "sequential"]
_LEAST = 4  # questions; fewer prove nothing
_PRIOR_QUESTIONS = 4.0  # a difference of half a standard deviation is what the sequential test looks for


def by_test(test: PairedTest, p_value: float, winners: int = 1) -> Rule:
    """Return the rule by which those leave who are worse than the best by a one-sided paired test on the questions that
    both have scores for (F-race: Birattari et al. 2002). The best `winners` stay whatever it says."""

    def rule(scores: Mapping[Candidate, Scores]) -> Sequence[Candidate]:
        names, table = list(scores), score_table(scores)
        order = np.argsort(-fair_means(table), kind="stable")
        worse = _p_values(test, table[order[0]] - table)
        first = set(order[:winners].tolist())
        return [name for place, name in enumerate(names) if place in first or worse[place] >= p_value]

    return rule


def by_rank(keep: float, winners: int = 1) -> Rule:
    """Return the rule by which a share `keep` stays, the best by mean on common questions, never fewer than `winners`
    (successive halving: Karnin et al. 2013)."""

    def rule(scores: Mapping[Candidate, Scores]) -> Sequence[Candidate]:
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
    """Compute `_p_values` where no score is missing."""
    count = ahead.shape[1]
    if test == "sequential":
        return anytime_p_values(ahead)
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


def anytime_p_values(ahead: Floats) -> Floats:
    """Return one-sided p values of the hypothesis that none is ahead, which hold however often, and whenever, they are
    looked at: differences [candidates, questions], none missing, to [candidates]. They are 1 over the e value of the t
    test whose alternative is a normal mixture of effect sizes, for those ahead (Lai, "On confidence sequences", Annals
    of Statistics 1976; Wang and Ramdas, "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown
    variance", 2023). Of n differences with the sum S and the sum of squares V, with c^2 imaginary questions,

        e = sqrt(c^2 / (n + c^2)) * ((n + c^2) V / ((n + c^2) V - S^2))^(n / 2)
    """
    count, total, squares = ahead.shape[1], ahead.sum(axis=1), (ahead**2).sum(axis=1)
    more = count + _PRIOR_QUESTIONS
    share = np.divide(total**2, more * squares, out=np.zeros(len(ahead)), where=squares > 0)
    log_e = 0.5 * math.log(_PRIOR_QUESTIONS / more) - count / 2 * np.log1p(-share)
    values: Floats = np.where(total > 0, np.minimum(1.0, np.exp(-np.minimum(log_e, 700.0))), 1.0)
    return values
