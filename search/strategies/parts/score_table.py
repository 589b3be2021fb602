"""Scores of several candidates on questions that not all of them have scores for."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from search.problem.candidate import Candidate

Floats = NDArray[np.float64]
_ROUNDS = 30


def score_table(scores: Mapping[Candidate, Mapping[str, float]]) -> Floats:
    """Return [candidates, questions], NaN where a candidate has no score: every question that at least two have a score
    for, or the only candidate has."""
    counts: dict[str, int] = {}
    for by_question in scores.values():
        for question in by_question:
            counts[question] = counts.get(question, 0) + 1
    questions = [question for question, count in counts.items() if count >= min(2, len(scores))]
    rows = [[by_question.get(question, np.nan) for question in questions] for by_question in scores.values()]
    return np.array(rows, dtype=float).reshape(len(scores), len(questions))


def fair_means(table: Floats) -> Floats:
    """Return each candidate's mean, [candidates]: plain where all have every score. Else as if all had: the level of
    each candidate in the least-squares sum of a candidate's and a question's level. A candidate without any score has
    minus infinity."""
    missing = np.isnan(table)
    if not table.size:
        return np.zeros(len(table))
    if not missing.any():
        means: Floats = table.mean(axis=1)
        return means
    counts = (~missing).sum(axis=1)
    filled, levels = np.where(missing, 0.0, table), np.zeros(table.shape[1])
    for _ in range(_ROUNDS):
        means = (filled - np.where(missing, 0.0, levels)).sum(axis=1) / np.maximum(counts, 1)
        levels = (filled - np.where(missing, 0.0, means[:, None])).sum(axis=0) / (~missing).sum(axis=0)
    return np.where(counts > 0, means + levels.mean(), -np.inf)
