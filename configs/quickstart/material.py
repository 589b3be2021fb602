"""What a quickstart search works on: the base prompt, the pool and the questions, in the language of the corpus."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from configs.quickstart.corpus import RULES, Style, answer_text, demonstration_text, seeded
from configs.quickstart.facts import Fact, all_facts

BASE_FACTS = {("capitals", 3), ("tools", 3), ("jobs", 3)}
PLAIN = Style(greets=False, note=False, closes=False)
BASE_STYLES = (
    PLAIN,
    replace(PLAIN, sentence=False, closes=True, polite=False),
    replace(PLAIN, mumbles=True),
)


def base_prompt() -> str:
    """The rules and three mediocre demonstrations, the start of every search."""
    shown = [(fact, answer_text(fact, style)) for fact, style in zip(facts_for("base"), BASE_STYLES, strict=True)]
    return RULES[0] + "".join(demonstration_text(fact.query(3), answer) for fact, answer in shown)


def pool_rows() -> list[dict[str, str]]:
    """The 64 demonstrations, in an order that says nothing about their quality."""
    return [_pool_row(number, *chosen) for number, chosen in enumerate(_pool_choices())]


def two_turn_pool_rows() -> list[dict[str, str]]:
    """The same demonstrations, each followed by another fact of its topic in its own style."""
    following = dict(_in_turn(facts_for("pool")))
    return [
        _pool_row(number, fact, wording, style) | _follow_up(following[fact], wording, style)
        for number, (fact, wording, style) in enumerate(_pool_choices())
    ]


def two_turn_base_rows() -> list[dict[str, str]]:
    """The base prompt's demonstrations, each followed by the next one's fact in its own style."""
    facts = facts_for("base")
    return [
        {"query": fact.query(3), "answer": answer_text(fact, style)} | _follow_up(later, 2, style)
        for fact, later, style in zip(facts, [*facts[1:], facts[0]], BASE_STYLES, strict=True)
    ]


def _pool_choices() -> list[tuple[Fact, int, Style]]:
    """Fact, wording and style of each."""
    facts, rng = facts_for("pool"), seeded("pool")
    styles = _pool_styles()
    rng.shuffle(styles)
    return [(facts[number % len(facts)], number // len(facts), style) for number, style in enumerate(styles)]


def _pool_row(number: int, fact: Fact, wording: int, style: Style) -> dict[str, str]:
    return {"id": f"demo-{number + 1:03d}", "query": fact.query(wording), "answer": answer_text(fact, style)}


def _follow_up(fact: Fact, wording: int, style: Style) -> dict[str, str]:
    return {"follow_up_query": fact.query(wording), "follow_up_answer": answer_text(fact, style)}


def _in_turn(facts: list[Fact]) -> list[tuple[Fact, Fact]]:
    """Each fact with the next of its topic, the last with the first."""
    return [(group[at], group[(at + 1) % len(group)]) for group in _by_topic(facts) for at in range(len(group))]


def sum_rows() -> list[dict[str, str]]:
    """Sums: what is asked and answered in another domain than the facts."""
    pairs = [(number, 7 * number % 19 + 3) for number in range(11, 23)]
    return [
        {"query": f"What is {first} plus {second}?", "answer": f"{first} + {second} = {first + second}"}
        for first, second in pairs
    ]


def question_rows() -> list[dict[str, object]]:
    """The 32 search and 48 held-out questions, the wanted answer as reference."""
    return [_question_row(fact, split) for split in ("search", "held_out") for fact in facts_for(split)]


def two_turn_rows() -> list[dict[str, object]]:
    """The same questions, each followed by another of its topic and its side: every fact is asked once in each turn."""
    return [
        _two_turn_row(first, second, split)
        for split in ("search", "held_out")
        for first, second in _in_turn(facts_for(split))
    ]


def _two_turn_row(first: Fact, second: Fact, split: str) -> dict[str, object]:
    rows = [_question_row(fact, split) for fact in (first, second)]
    return {
        **rows[0],
        **{field: [text for row in rows for text in _texts(row[field])] for field in ("turns", "reference")},
    }


def _texts(value: object) -> list[str]:
    return value if isinstance(value, list) else []


def _by_topic(facts: list[Fact]) -> list[list[Fact]]:
    return [list(group) for _, group in groupby(facts, key=lambda fact: fact.topic.name)]


def _question_row(fact: Fact, split: str) -> dict[str, object]:
    name = fact.topic.name.replace(" ", "-")
    return {
        "id": f"{name}-{fact.number + 1:02d}",
        "category": fact.topic.name,
        "split": split,
        "turns": [fact.query(fact.number % len(fact.topic.wordings))],
        "reference": [answer_text(fact, Style())],
    }


def facts_for(use: str) -> list[Fact]:
    """The facts kept for one use (`base`, `pool`, `search`, `held_out`); no fact has two uses."""
    return [fact for fact in all_facts() if _use(fact) == use]


def _use(fact: Fact) -> str:
    if (fact.topic.name, fact.number) in BASE_FACTS:
        return "base"
    return "pool" if fact.number < 4 else "search" if fact.number < 8 else "held_out"


def _pool_styles() -> list[Style]:
    """Four habits in all sixteen combinations, twice; then ones spoilt by mumbling, error, rudeness or shouting."""
    flags = [(bool(n & 1), bool(n & 2), bool(n & 4), bool(n & 8)) for n in range(16)]
    mixed = [Style(greets=g, sentence=s, note=n, closes=c) for g, s, n, c in flags]
    spoilt = (
        [replace(style, mumbles=True) for style in mixed[::2]]
        + [replace(style, right=False) for style in mixed[:8]]
        + [replace(style, polite=False) for style in mixed if style.greets or style.closes]
    )
    shouted = [replace(style, shouts=True) for style in mixed[:: len(mixed) // 4]]
    return [*mixed, *mixed, *spoilt, *shouted]
