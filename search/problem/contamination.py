"""Demonstrations that hold a question of the benchmark, and search questions that hold a held-out one.

A winner whose prompt shows a held-out question with its answer has not been judged on questions that it never saw. So
what is the same is taken out of the pool, or refused, and what is alike is reported with its pairs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.data import PoolConfig
from evaluators.question import Question
from search.problem.overlap import Overlap, Source, Text, find_overlaps
from search.problem.pool import Pool
from search.problem.split import Split
from search.prompts.demonstration import Demonstration
from search.prompts.urial import BasePrompt

SEEN = "held-out questions seen"
"""What the manifest calls `Contamination.seen`."""
_SHOWN = 3  # pairs in a sentence
_KEPT = 200  # pairs in a file


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
        counted = {"left out": len(_ids(self.dropped)), "pairs that remain": len(self.remaining), SEEN: self.seen}
        return counted if any(counted.values()) else {}

    def notices(self) -> tuple[str, ...]:
        """A sentence for each thing that a person should know; none where nothing was found."""
        dropped, remaining = len(_ids(self.dropped)), self.remaining
        texts = []
        if self.dropped:
            texts.append(
                f"{_demonstrations(dropped)} of the pool {_plural(dropped, 'holds', 'hold')} a question of the "
                f"benchmark and {_plural(dropped, 'is', 'are')} left out "
                f"(pool.contamination is drop): {_first(self.dropped)}"
            )
        for source in ("pool", "base prompt", "search questions"):
            pairs = [overlap for overlap in remaining if overlap.source == source]
            if pairs:
                texts.append(f"{_left_in(source, len(_ids(pairs)))}: {_first(pairs)}")
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
    texts = _demonstrations(count) if source == "pool" else f"{count:,} text{'s' * (count != 1)}"
    return f"{texts} of the {source} {verb} a question of the benchmark and {_plural(count, 'stays', 'stay')} in it"


def _plural(count: int, singular: str, plural: str) -> str:
    return singular if count == 1 else plural


def _ids(overlaps: Iterable[Overlap]) -> set[str]:
    return {overlap.id for overlap in overlaps}


def _demonstrations(count: int) -> str:
    return f"{count:,} demonstration{'s' * (count != 1)}"


def _first(overlaps: Sequence[Overlap]) -> str:
    more = len(overlaps) - _SHOWN
    return "; ".join(map(str, overlaps[:_SHOWN])) + (f"; and {show_many(more, 'more pair')}" if more > 0 else "")


def without_questions(pool: Pool, base: BasePrompt, split: Split, policy: PoolConfig) -> tuple[Pool, Contamination]:
    """The pool without demonstrations that are questions of either side, and what was found.

    Raises:
        InputError: the knob says to refuse, the base prompt shows a question, or nothing is left of the pool.
    """
    overlaps = _overlaps([*_pool_texts(pool), *_base_texts(base)], split)
    alike = find_overlaps(_question_texts(split.search), split.held_out, "held-out")
    surely = [overlap for overlap in overlaps if overlap.degree != "near"]
    if policy.contamination == "keep":
        return pool, Contamination((), (*overlaps, *alike))
    own = [overlap for overlap in surely if overlap.source == "base prompt" and overlap.id != "rules"]
    if own:
        raise InputError(
            f"the base prompt shows a question of the benchmark: {_first(own)}; remove the demonstration or the "
            "question, or set pool.contamination to keep"
        )
    dropped = [overlap for overlap in surely if overlap.source == "pool"]
    if dropped and policy.contamination == "refuse":
        raise InputError(
            f"{_demonstrations(len(_ids(dropped)))} of the pool hold a question of the benchmark: {_first(dropped)}; "
            "remove them, or set pool.contamination to drop"
        )
    gone = _ids(dropped)
    kept = pool.leaving_out(gone)
    if not kept:
        raise InputError("every demonstration of the pool is a question of the benchmark; use another pool")
    remaining = [overlap for overlap in overlaps if overlap.source != "pool" or overlap.id not in gone]
    return kept, Contamination(tuple(dropped), (*remaining, *alike))


def shown_questions(variants: Mapping[str, BasePrompt], questions: Sequence[Question]) -> tuple[str, ...]:
    """A sentence for each prompt of an evaluation, by name, that shows what it is asked, or something like it."""
    sentences = []
    for name, prompt in variants.items():
        pairs = find_overlaps(_base_texts(prompt), questions, "")
        if pairs:
            shown = "; ".join(str(pair).replace("  ", " ") for pair in pairs[:_SHOWN])
            count = len(_ids(pairs))
            texts = f"{count:,} {_plural(count, 'text', 'texts')}"
            sentences.append(f"variant '{name}' shows {texts} like a question it is asked: {shown}")
    return tuple(sentences)


def _overlaps(texts: Sequence[Text], split: Split) -> list[Overlap]:
    sides = (("held-out", split.held_out), ("search", split.search))
    return [overlap for side, questions in sides for overlap in find_overlaps(texts, questions, side)]


def _pool_texts(pool: Pool) -> list[Text]:
    return [
        text
        for overlap in pool.values()
        for text in _turns("pool", overlap.id, pool.places.get(overlap.id, ""), overlap)
    ]


def _base_texts(base: BasePrompt) -> list[Text]:
    shown = [
        text
        for number, demonstration in enumerate(base.demonstrations, start=1)
        for text in _turns("base prompt", f"demonstration {number}", "", demonstration)
    ]
    return [*shown, Text("base prompt", "rules", "", "", base.rules)]


def _turns(source: Source, name: str, place: str, demonstration: Demonstration) -> Iterator[Text]:
    """A text a turn: a later one may hold a question as well as the first."""
    for number, (query, answer) in enumerate(demonstration.turns, start=1):
        turn = f"turn {number}" if demonstration.further else ""
        yield Text(source, name, ", ".join(filter(None, (place, turn))), query, answer)


def _question_texts(questions: Iterable[Question]) -> list[Text]:
    return [
        Text(
            "search questions",
            f"search question {question.id}",
            "",
            question.query,
            "\n".join(question.turns[1:]),
            answer=False,
        )
        for question in questions
    ]
