"""Filters and orders of answers, as SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ORDERS: Mapping[str, str] = {
    "asked": "id",
    "score": "score IS NULL, score, id",
    "change": "change IS NULL, change, id",
    "length": "length IS NULL, length, id",
    "question": "question, id",
    "shuffled": "id * 2654435761 % 4294967296",
}
_REVIEWS = {
    "good": "verdict = 'good'",
    "bad": "verdict = 'bad'",
    "any": "verdict IS NOT NULL",
    "commented": "comment != ''",
    "none": "verdict IS NULL AND failure = ''",
}
_CHANGES = {"better": "change > 0", "worse": "change < 0", "same": "change = 0"}
_EQUAL = ("side", "category", "prompt", "question")


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of answers; an empty text or None asks for all.

    Attributes:
        words: that stand in the question, the answers or the judge's words, or in a person's comment, all of them;
            "quoted ones" together.
        prompt: its whole name.
        holds: stands in the prompt's name, whatever its case: a demonstration's id for example.
        role: "base prompt", "winner", "best so far" or "runner-up".
        change: against the base prompt on the same question: "better", "worse" or "same".
        review: a person's: "good", "bad", "any" of both, "none" (and no failure), or "commented".
        least, most: score, both included.
        shortest, longest: characters, both included.
        order: one of `ORDERS`.
        page: from 0.
    """

    words: str = ""
    side: str = ""
    category: str = ""
    prompt: str = ""
    holds: str = ""
    role: str = ""
    question: str = ""
    change: str = ""
    review: str = ""
    failed: bool = False
    least: float | None = None
    most: float | None = None
    shortest: int | None = None
    longest: int | None = None
    order: str = "asked"
    descending: bool = False
    page: int = 0

    def ordering(self) -> str:
        """What stands behind ORDER BY."""
        order = ORDERS.get(self.order, "id")
        if not self.descending:
            return order
        return ", ".join(part if "NULL" in part else f"{part} DESC" for part in order.split(", "))

    def conditions(self, roles: Mapping[str, str]) -> tuple[str, list[Any]]:
        """What begins with WHERE, and its values.

        Args:
            roles: candidates' keys by role.
        """
        conditions: list[tuple[str, list[Any]]] = [
            (f"{column} = ?", [value]) for column in _EQUAL if (value := getattr(self, column))
        ]
        conditions += [
            (f"{column} ?", [value])
            for column, value in (
                ("score >=", self.least),
                ("score <=", self.most),
                ("length >=", self.shortest),
                ("length <=", self.longest),
            )
            if value is not None
        ]
        if self.holds:
            conditions.append(("instr(lower(prompt), lower(?))", [self.holds]))
        if self.role:
            conditions.append(("candidate = ?", [roles.get(self.role, "")]))
        if self.change in _CHANGES:
            conditions.append((_CHANGES[self.change], []))
        if self.review in _REVIEWS:
            conditions.append((_REVIEWS[self.review], []))
        if self.failed:
            conditions.append(("failure != ''", []))
        if phrases := _phrases(self.words.replace("\0", " ")):
            match = " ".join(f'"{phrase}"' for phrase in phrases)
            commented = " AND ".join(["instr(lower(comment), lower(?))"] * len(phrases))
            in_either = f"(id IN (SELECT rowid FROM words WHERE words MATCH ?) OR {commented})"  # noqa: S608 -- constants
            conditions.append((in_either, [match, *phrases]))
        where = " AND ".join(text for text, _ in conditions)
        return f"WHERE {where}" if where else "", [value for _, values in conditions for value in values]


def _phrases(words: str) -> list[str]:
    """What must be there, every character taken literally: "quoted words" together, the others in any place."""
    phrases = []
    for position, part in enumerate(words.split('"')):
        phrases += [part] if position % 2 else part.split()
    return [stripped for phrase in phrases if (stripped := phrase.strip())]
