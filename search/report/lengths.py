"""A guard: judges like long answers, so a gain that comes with length is doubtful."""

import math
from dataclasses import dataclass

import numpy as np

from search.results.candidate_results import CandidateResults
from search.statistics.estimates import Estimate, estimate
from search.statistics.quantiles import of_student

_FEWEST = 8  # questions for a regression


@dataclass(frozen=True, slots=True)
class LengthGuard:
    """Two prompts on the same questions: the first is what the second is compared with.

    Attributes:
        first, second: mean length of the answers, in characters.
        ratio: of the second to the first.
        correlation: over questions, of the change in log length with the change in score; None where it is undefined.
        equal_length_gain: the gain at a change in length of zero, by a straight line through the questions' changes. A
            rough guide: what makes an answer good may also make it long.
    """

    first: Estimate
    second: Estimate
    ratio: float
    correlation: float | None
    equal_length_gain: Estimate | None


def length_guard(first: CandidateResults, second: CandidateResults, confidence: float) -> LengthGuard | None:
    """None without lengths."""
    gains = second.gains(first)
    names = [name for name in gains if name in first.lengths and name in second.lengths]
    before = estimate([first.lengths[name] for name in names], confidence)
    after = estimate([second.lengths[name] for name in names], confidence)
    if before is None or after is None or before.mean == 0:
        return None
    longer = np.array([math.log((second.lengths[name] + 1) / (first.lengths[name] + 1)) for name in names])
    gained = np.array([gains[name] for name in names])
    return LengthGuard(
        first=before,
        second=after,
        ratio=after.mean / before.mean,
        correlation=_correlation(longer, gained),
        equal_length_gain=_intercept(longer, gained, confidence),
    )


def _correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    if len(first) < _FEWEST or first.std() == 0 or second.std() == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _intercept(longer: np.ndarray, gained: np.ndarray, confidence: float) -> Estimate | None:
    """Least squares with its Student's t interval."""
    if len(longer) < _FEWEST or longer.std() == 0:
        return None
    design = np.stack([np.ones_like(longer), longer], axis=1)
    solution = np.linalg.lstsq(design, gained, rcond=None)[0]
    free = len(longer) - 2
    variance = float(((gained - design @ solution) ** 2).sum() / free)
    error = math.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0])
    half = of_student(free, confidence) * error
    return Estimate(float(solution[0]), float(solution[0]) - half, float(solution[0]) + half, len(longer))
