"""One in-context example."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

Turn = tuple[str, str]
"""A query and its answer."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A query with the answer the model shall imitate; or a conversation, turn by turn.

    Attributes:
        id: unique within pool and base prompt; `content_id` where the data give none.
        query, answer: the first turn; never empty.
        further: the turns after it, in order; no text of them is empty.
    """

    id: str
    query: str
    answer: str
    further: tuple[Turn, ...] = ()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All of them, the first included."""
        return ((self.query, self.answer), *self.further)

    @property
    def texts(self) -> tuple[str, ...]:
        """Queries and answers in turn, from the first query to the last answer."""
        return tuple(text for turn in self.turns for text in turn)

    @property
    def fields(self) -> dict[str, str | list[str]]:
        """Query and answer as a row of a pool has them: texts, or a list of texts each where it has several turns."""
        if not self.further:
            return {"query": self.query, "answer": self.answer}
        return {"query": [query for query, _ in self.turns], "answer": [answer for _, answer in self.turns]}

    @property
    def content(self) -> str:
        """Equal where all texts are, whatever the id."""
        return content_id(*self.texts)

    @property
    def characters(self) -> int:
        """Length of all texts together."""
        return sum(map(len, self.texts))


def content_id(*texts: str) -> str:
    """Sixteen hexadecimal digits that depend on the content alone, whatever the row's position.

    Args:
        texts: queries and answers in turn. Those of one turn have had their id before there were demonstrations of
            several, and keep it.
    """
    content = f"{len(texts[0])}\x00{texts[0]}\x00{texts[1]}" if len(texts) == 2 else json.dumps(texts)
    return sha256(content.encode()).hexdigest()[:16]


def demonstration_of(turns: Sequence[Turn], name: str | None = None) -> Demonstration:
    """A demonstration of at least one turn; its id is `content_id` where `name` gives none."""
    (query, answer), *further = turns
    texts = (text for turn in turns for text in turn)
    return Demonstration(name or content_id(*texts), query, answer, tuple(further))


def numbered(demonstrations: Iterable[Demonstration]) -> tuple[Demonstration, ...]:
    """Demonstrations with ids that differ, also where one occurs twice."""
    return tuple(
        replace(demonstration, id=f"{number}-{demonstration.id}")
        for number, demonstration in enumerate(demonstrations, start=1)
    )


def single_turns(demonstrations: Iterable[Demonstration]) -> list[Demonstration]:
    """Each turn as a demonstration of its own. Without a separation tag their prompt is the same text."""
    return [demonstration_of([turn]) for demonstration in demonstrations for turn in demonstration.turns]
