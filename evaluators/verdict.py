"""A judge's words → a rating. The rule is FastChat's `run_judge_single`; what upstream writes as -1 raises here.

One difference, on purpose: upstream accepts any number between the brackets, so that `[[100]]` or `[[0]]` enters the
mean. A rating off the scale that the prompt asks for is no rating.
"""

import re

from evaluators.failures import VerdictUnreadable

PARSER_VERSION = "1"
"""Raise it whenever some words would get another rating: it is part of every judge's fingerprint that uses this."""

LOWEST, HIGHEST = 1.0, 10.0

_DOUBLE = re.compile(r"\[\[(\d+\.?\d*)\]\]")
_SINGLE = re.compile(r"\[(\d+\.?\d*)\]")
_QUOTED = 200


def parse_rating(words: str) -> float:
    """The first `[[rating]]`, else the first `[rating]`; from 1 to 10.

    Raises:
        VerdictUnreadable: neither is there, or the one that counts is off the scale.
    """
    found = _DOUBLE.search(words) or _SINGLE.search(words)
    if found is None:
        raise VerdictUnreadable(f"the judge gave no rating; it ended with: {words[-_QUOTED:]!r}")
    rating = float(found[1])
    if not LOWEST <= rating <= HIGHEST:
        raise VerdictUnreadable(
            f"the judge's rating is off the scale of {LOWEST:g} to {HIGHEST:g}; it ended with: {words[-_QUOTED:]!r}"
        )
    return rating
