"""What a rating looks like in a judge's words, what it is worth, and the published way to read it.

`Scale.read` and `read_winner` are FastChat's rules: the first match counts, wherever it stands. What upstream writes as
-1 or "error" raises here. One difference, on purpose: upstream accepts any number between the brackets, so that
`[[100]]` or `[[0]]` enters the mean; a rating off the scale that the prompt asks for is no rating.

`evaluators.judge_tools.decision` reads what the judge has decided.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal, Protocol

from evaluators.failures import VerdictUnreadable

PARSER_VERSION = "1"
"""Raise it whenever some words would get another rating from `read`: it is part of the fingerprint of every
judge that uses it."""

QUOTED = 200
"""Characters of a judge's words that a message quotes."""

_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*")
_WINNERS = {"[[A]]": "A", "[[B]]": "B", "[[C]]": None}
TIE = 0.5


class RatingForm(Protocol):
    """What a judge's ratings look like."""

    @property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """Each with one group, the rating; a later one counts only where no earlier one matches."""
        ...

    @property
    def ends(self) -> tuple[float, float] | None:
        """Worst and best rating of a scale; None where there is no scale."""
        ...

    @property
    def choices(self) -> tuple[str, ...]:
        """The ratings that a judge chooses from, as it writes them: whole numbers of a scale, letters."""
        ...

    def worth(self, rating: str) -> float:
        """The score of a rating. Raises VerdictUnreadable where it is none."""
        ...

    def read(self, words: str) -> float:
        """The score as published parsers read it. Raises VerdictUnreadable."""
        ...


@dataclass(frozen=True, slots=True)
class Scale:
    """The ratings that there are, and where they stand in a judge's words.

    Attributes:
        low, high: worst and best.
        patterns: each with one group; the first match of the first pattern that matches counts.
    """

    low: float
    high: float
    patterns: tuple[re.Pattern[str], ...]

    @property
    def ends(self) -> tuple[float, float]:
        return self.low, self.high

    @property
    def choices(self) -> tuple[str, ...]:
        """The possible ratings; at most 101, which is more than any scale of whole numbers in use."""
        whole = range(math.ceil(self.low), math.floor(self.high) + 1)
        return tuple(str(number) for number in whole[:101])

    def worth(self, rating: str) -> float:
        if not _NUMBER.fullmatch(rating or ""):  # float() also takes 1_0, 1e1 and nan
            raise VerdictUnreadable(f"the judge's rating {rating!r} is not a number")
        score = float(rating)
        if not self.low <= score <= self.high:
            raise VerdictUnreadable(f"the judge's rating is off the scale of {self.low:g} to {self.high:g}")
        return score

    def read(self, words: str) -> float:
        """The rating, from `low` to `high`.

        Raises:
            VerdictUnreadable: there is none, or the one that counts is no number or off the scale.
        """
        match = next((match for pattern in self.patterns if (match := pattern.search(words))), None)
        if match is None:
            raise VerdictUnreadable(f"the judge gave no rating; {ending(words)}")
        try:
            return self.worth(match[1])
        except VerdictUnreadable as error:
            raise VerdictUnreadable(f"{error}; {ending(words)}") from None


MT_BENCH = Scale(1.0, 10.0, (re.compile(r"\[\[(\d+\.?\d*)\]\]"), re.compile(r"\[(\d+\.?\d*)\]")))
"""FastChat's `run_judge_single`: the first `[[rating]]`, else the first `[rating]`."""


@dataclass(frozen=True, slots=True)
class Winners:
    """`[[A]]`, `[[B]]` or, for a tie, `[[C]]`.

    Attributes:
        ours: the letter that scores 1; the other one scores 0, a tie one half.
    """

    ours: Literal["A", "B"]

    @property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        return (_LETTER,)

    @property
    def ends(self) -> None:
        return None

    @property
    def choices(self) -> tuple[str, ...]:
        return ("A", "B", "C")

    def worth(self, rating: str) -> float:
        return TIE if rating == "C" else float(rating == self.ours)

    def read(self, words: str) -> float:
        winner = read_winner(words)
        return TIE if winner is None else float(winner == self.ours)


_LETTER = re.compile(r"\[\[([ABC])\]\]")


def read_winner(words: str) -> str | None:
    """ "A" or "B", or None for a tie: FastChat's `run_judge_pair`, which looks for `[[A]]`, then `[[B]]`, then `[[C]]`.

    Raises:
        VerdictUnreadable: none of them is there.
    """
    for mark, winner in _WINNERS.items():
        if mark in words:
            return winner
    raise VerdictUnreadable(f"the judge named no winner; {ending(words)}")


def ending(words: str) -> str:
    """How the words ended, for messages."""
    return f"it ended with: {words[-QUOTED:]!r}"
