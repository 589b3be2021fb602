"""A judge's words → a rating, or who won. The rules are FastChat's; what upstream writes as -1 or "error" raises here.

One difference, on purpose: upstream accepts any number between the brackets, so that `[[100]]` or `[[0]]` enters the
mean. A rating off the scale that the prompt asks for is no rating.
"""

import re
from dataclasses import dataclass

from evaluators.failures import VerdictUnreadable

PARSER_VERSION = "1"
"""Raise it whenever some words would get another rating: it is part of every judge's fingerprint that uses this."""

_QUOTED = 200
_WINNERS = {"[[A]]": "A", "[[B]]": "B", "[[C]]": None}


@dataclass(frozen=True, slots=True)
class Scale:
    """Where ratings stand in a judge's words, and which there are.

    Attributes:
        low, high: worst and best.
        patterns: each with one group; the first match of the first pattern that matches counts.
    """

    low: float
    high: float
    patterns: tuple[re.Pattern[str], ...]

    def read(self, words: str) -> float:
        """The rating, from `low` to `high`.

        Raises:
            VerdictUnreadable: there is none, or the one that counts is no number or off the scale.
        """
        found = next((match for pattern in self.patterns if (match := pattern.search(words))), None)
        if found is None:
            raise VerdictUnreadable(f"the judge gave no rating; it ended with: {words[-_QUOTED:]!r}")
        try:
            rating = float(found[1])
        except (TypeError, ValueError):
            raise VerdictUnreadable(
                f"the judge's rating {found[0]!r} is no number; it ended with: {words[-_QUOTED:]!r}"
            ) from None
        if not self.low <= rating <= self.high:
            raise VerdictUnreadable(
                f"the judge's rating is off the scale of {self.low:g} to {self.high:g}; it ended with: "
                f"{words[-_QUOTED:]!r}"
            )
        return rating


MT_BENCH = Scale(1.0, 10.0, (re.compile(r"\[\[(\d+\.?\d*)\]\]"), re.compile(r"\[(\d+\.?\d*)\]")))
"""FastChat's `run_judge_single`: the first `[[rating]]`, else the first `[rating]`."""


def read_winner(words: str) -> str | None:
    """ "A" or "B", or None for a tie: FastChat's `run_judge_pair`, which looks for `[[A]]`, then `[[B]]`, then `[[C]]`.

    Raises:
        VerdictUnreadable: none of them is there.
    """
    for mark, winner in _WINNERS.items():
        if mark in words:
            return winner
    raise VerdictUnreadable(f"the judge named no winner; it ended with: {words[-_QUOTED:]!r}")
