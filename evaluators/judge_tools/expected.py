"""The mean of a judge's ratings, weighted by how likely it was to give each: less noise than the rating that it gave.

G-Eval (Liu et al. 2023) weighs ratings in this way; here the probabilities are read in the place of the rating that the
judge has decided on, behind its own explanation.
"""

import math
from collections.abc import Mapping

from evaluators.failures import VerdictUnreadable
from evaluators.judge_tools.ratings import RatingForm
from workers.usage import NOTHING, Usage

EXPECTED_VERSION = "expected/3"
"""Raise it whenever some probabilities would become another score."""

MOST_OFF_SCALE = 0.25
"""Probability that may lie on what is no rating of the scale; with more of it the mean would not be the judge's."""


def expected_score(
    probabilities: Mapping[str, float], form: RatingForm, usage: Usage = NOTHING
) -> tuple[float, dict[str, object]]:
    """The mean score, and the distribution that it comes from, for people.

    Args:
        probabilities: of ratings; they may add up to less than 1, the rest lies off the scale.
        usage: what they cost, for the failure.

    Raises:
        VerdictUnreadable: more than `MOST_OFF_SCALE` lies off the scale.
    """
    positive = {rating: probability for rating, probability in probabilities.items() if probability > 0}
    total = math.fsum(positive.values())
    off_scale = max(0.0, 1.0 - total)
    shown = {rating: float(f"{probability:.6g}") for rating, probability in sorted(positive.items(), key=_number)}
    if not math.isfinite(total) or off_scale > MOST_OFF_SCALE:
        raise VerdictUnreadable(
            f"{off_scale:.0%} of the judge's probability lies off its scale, more than the {MOST_OFF_SCALE:.0%} that "
            f"judge.rating=expected allows (ratings: {shown}): set judge.rating to decision",
            usage,
        )
    score = math.fsum(form.worth(rating) * probability for rating, probability in positive.items()) / total
    return score, {"score": score, "probabilities": shown, "off_scale": float(f"{off_scale:.6g}")}


def _number(item: tuple[str, float]) -> tuple[float, str]:
    try:
        return float(item[0]), ""
    except ValueError:
        return 0.0, item[0]
