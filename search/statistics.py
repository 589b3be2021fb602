"""The statistics of this engine, with the question as the unit of everything.

Scores of two candidates on the same questions share the questions' difficulty; that is why candidates are compared by
paired differences. An interval speaks of other questions of the same kind, for this model and this judge.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes a second to import


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its interval.

    Attributes:
        mean: on the judge's scale.
        low, high: Student's t interval over questions; infinite for a single question.
        n: questions it rests on, >= 1.
        failed: questions that failed and are in no mean.
    """

    mean: float
    low: float
    high: float
    n: int
    failed: int = 0


def estimate(scores: Sequence[float], confidence: float, failed: int = 0) -> Estimate | None:
    """Mean and Student's t interval of scores on `len(scores)` questions; None without any."""
    if not scores:
        return None
    values = np.asarray(scores, dtype=float)
    mean = float(values.mean())
    if len(values) == 1:
        return Estimate(mean, -math.inf, math.inf, 1, failed)
    standard_error = values.std(ddof=1) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, (1 + confidence) / 2) * standard_error)
    return Estimate(mean, mean - half, mean + half, len(values), failed)


def paired_difference(first: Mapping[str, float], second: Mapping[str, float], confidence: float) -> Estimate | None:
    """Mean of `first - second` over the questions that both have scores for, with its interval."""
    common = [question for question in first if question in second]
    return estimate([first[question] - second[question] for question in common], confidence)
