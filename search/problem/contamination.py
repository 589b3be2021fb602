"""Demonstrations that hold a question of the benchmark, and search questions that hold a held-out one: what was found.

A winner whose prompt shows a held-out question with its answer has not been judged on questions that it never saw. So
what is the same is taken out of the pool, or refused, and what is alike is reported with its pairs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from configs.plural import show_many

Degree = Literal["same", "contains", "near"]
Source = Literal["pool", "base prompt", "search questions"]

SEEN = "held-out questions seen"
"""What the manifest calls `Contamination.seen`."""
_SHOWN = 3  # pairs in a sentence
_KEPT = 200  # pairs in a file
_VERBS: Mapping[Degree, str] = {"same": "is", "contains": "contains", "near": "resembles"}


@dataclass(frozen=True, slots=True)
class Overlap:
    """A text of the prompts, or a search question, and a question that it holds.

    Attributes:
        source: where the text comes from.
        id: of the demonstration or the search question; `rules` for the rules of the base prompt.
        place: of the text, for people, with the turn where there are several; "" where only the id is known.
        question: id of the question.
        side: of the question: `search` or `held-out`.
        degree: `same`: it is the question, however it is broken into words. `contains`: the whole question stands in
            it. `near`: they have the same words in another order, or but for a word or two typing errors; one stands in
            the other; or they have a passage of 13 words in common (with the question's further turns or its reference
            answers, too).
    """

    source: Source
    id: str
    place: str
    question: str
    side: str
    degree: Degree

    def __str__(self) -> str:
        where = f" ({self.place})" if self.place else ""
        return f"{self.id}{where} {_VERBS[self.degree]} {self.side} question {self.question}"


@dataclass(frozen=True, slots=True)
class Contamination:
    """What was found.

    Attributes:
        dropped: demonstrations that were taken out of the pool.
        remaining: everything else; candidates may show these.
    """

    dropped: tuple[Overlap, ...] = ()
    remaining: tuple[Overlap, ...] = ()

    @property
    def seen(self) -> int:
        """Held-out questions of which a prompt may hold something, or which a search question resembles."""
        return len({overlap.question for overlap in self.remaining if overlap.side == "held-out"})

    def counts(self) -> dict[str, int]:
        """Counts for the manifest; empty where nothing was found."""
        counted = {"left out": len(ids_of(self.dropped)), "pairs that remain": len(self.remaining), SEEN: self.seen}
        return counted if any(counted.values()) else {}

    def notices(self) -> tuple[str, ...]:
        """A sentence for each thing that a person should know; none where nothing was found."""
        dropped, remaining = len(ids_of(self.dropped)), self.remaining
        texts = []
        if self.dropped:
            texts.append(
                f"{show_many(dropped, 'demonstration')} of the pool {_plural(dropped, 'holds', 'hold')} a question of "
                f"the benchmark and {_plural(dropped, 'is', 'are')} left out "
                f"(pool.contamination is drop): {show_first(self.dropped)}"
            )
        for source in ("pool", "base prompt", "search questions"):
            pairs = [overlap for overlap in remaining if overlap.source == source]
            if pairs:
                texts.append(f"{_left_in(source, len(ids_of(pairs)))}: {show_first(pairs)}")
        return tuple(texts)

    def to_json(self) -> dict[str, Any]:
        """Counts for material.json, and the first pairs."""
        return {
            "dropped": [asdict(overlap) for overlap in self.dropped[:_KEPT]],
            "remaining": [asdict(overlap) for overlap in self.remaining[:_KEPT]],
            **self.counts(),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`, but for pairs that it left out."""
        return cls(
            *(tuple(Overlap(**overlap) for overlap in content.get(part, ())) for part in ("dropped", "remaining"))
        )


NONE_FOUND = Contamination()


def _left_in(source: Source, count: int) -> str:
    verb = _plural(count, "holds or resembles", "hold or resemble")
    if source == "search questions":
        return f"{count:,} of the search questions {verb} a held-out question"
    texts = show_many(count, "demonstration" if source == "pool" else "text")
    return f"{texts} of the {source} {verb} a question of the benchmark and {_plural(count, 'stays', 'stay')} in it"


def _plural(count: int, singular: str, plural: str) -> str:
    return singular if count == 1 else plural


def ids_of(overlaps: Iterable[Overlap]) -> set[str]:
    """Ids of the texts."""
    return {overlap.id for overlap in overlaps}


def show_first(overlaps: Sequence[Overlap]) -> str:
    """The first pairs, and how many more there are."""
    more = len(overlaps) - _SHOWN
    return "; ".join(map(str, overlaps[:_SHOWN])) + (f"; and {show_many(more, 'more pair')}" if more > 0 else "")
