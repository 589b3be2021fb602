"""Filters and orders of answers, as SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

ORDERS: Mapping[str, str] = {
    "asked": "id",
    "score": "score IS NULL, score, id",
    "change": "change IS NULL, change, id",
    "length": "length IS NULL, length, id",
    "question": "question, id",
}
_REVIEWS = {
    "good": "verdict = 'good'",
    "bad": "verdict = 'bad'",
    "any": "verdict IS NOT NULL",
    "commented": "comment != ''",
    "none": "verdict IS NULL AND failure = ''",
    "unseen": "verdict IS NULL AND failure = '' AND blind IS NOT 0",
}
_CHANGES = {"better": "change > 0", "worse": "change < 0", "same": "change = 0"}
_Score = Annotated[float, Field(allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, lt=2**31)]
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
        review: a person's: "good", "bad", "any" of both, "none" (and no failure), or "commented"; "unseen" is "none"
            without the answers that somebody has commented on with the judge's verdict in sight.
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
    least: _Score | None = None
    most: _Score | None = None
    shortest: _Count | None = None
    longest: _Count | None = None
    order: str = "asked"
    descending: bool = False
    page: _Count = 0

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
            conditions.append(("instr(casefold(prompt), casefold(?))", [self.holds]))
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
            commented = " AND ".join(["instr(casefold(comment), casefold(?))"] * len(phrases))
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
