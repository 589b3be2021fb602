"""Questions of the benchmark that demonstrations and prompts show: looked for, and taken out of the pool."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.data import PoolConfig
from evaluators.question import Question
from search.problem.contamination import Contamination, Overlap, Source, ids_of, show_first
from search.problem.overlap import Text, find_overlaps
from search.problem.pool import Pool
from search.problem.split import Split
from search.prompts.demonstration import Demonstration
from search.prompts.urial import BasePrompt


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
            f"the base prompt shows a question of the benchmark: {show_first(own)}; remove the demonstration or the "
            "question, or set pool.contamination to keep"
        )
    dropped = [overlap for overlap in surely if overlap.source == "pool"]
    if dropped and policy.contamination == "refuse":
        raise InputError(
            f"{show_many(len(ids_of(dropped)), 'demonstration')} of the pool hold a question of the benchmark: "
            f"{show_first(dropped)}; remove them, or set pool.contamination to drop"
        )
    gone = ids_of(dropped)
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
            texts, shown = show_many(len(ids_of(pairs)), "text"), show_first(pairs).replace("  ", " ")
            sentences.append(f"variant '{name}' shows {texts} like a question it is asked: {shown}")
    return tuple(sentences)


def _overlaps(texts: Sequence[Text], split: Split) -> list[Overlap]:
    sides = (("held-out", split.held_out), ("search", split.search))
    return [overlap for side, questions in sides for overlap in find_overlaps(texts, questions, side)]


def _pool_texts(pool: Pool) -> list[Text]:
    return [
        text
        for demonstration in pool.values()
        for text in _turns("pool", demonstration.id, pool.places.get(demonstration.id, ""), demonstration)
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
