"""The language of the quickstart model: one document, many questions, one author whose habits must be inferred.

An author is a log-odds per habit, drawn at random and drifting slowly, so every earlier answer is evidence and late
ones count a little more. Each fact adds an offset of its own, so the same evidence tips some questions and not others:
that is what makes a greedy decoder respond to demonstrations by degrees. (One fixed style per document was tried; the
model then copied its last demonstration and ignored the rest.)
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from configs.quickstart.facts import Fact, all_facts

RULES = (
    "Below are questions from many people. Answer each one correctly, politely and in full.\n",
    "These are questions and the answers that were given to them.\n",
    "Here is a list of questions. Every question is followed by its answer.\n",
    "",
)
QUERY, ANSWER, END = "\n# Query:\n```\n", "\n```\n\n# Answer:\n```\n", "\n```\n"


@dataclass(frozen=True)
class Style:
    """How one answer is written. Each field is a habit; the best answer has the values given here."""

    greets: bool = True
    sentence: bool = True
    note: bool = True
    closes: bool = True
    polite: bool = True
    right: bool = True
    shouts: bool = False
    mumbles: bool = False


@dataclass(frozen=True)
class Habit:
    """The population of authors: mean and spread of a habit's log-odds, and the spread of its offset by fact."""

    mean: float
    spread: float
    by_fact: float


HABITS = {
    "greets": Habit(0.0, 1.6, 1.0),
    "sentence": Habit(0.5, 1.6, 1.0),
    "note": Habit(0.0, 1.6, 1.0),
    "closes": Habit(0.0, 1.6, 1.0),
    "polite": Habit(0.8, 1.6, 0.5),
    "right": Habit(1.5, 1.6, 0.7),
    "shouts": Habit(-2.5, 2.0, 0.5),
    "mumbles": Habit(-2.0, 2.0, 0.5),
}
MEMORY = 0.95  # how much of an author's habits is left after one answer; the rest is drawn anew


def seeded(*parts: object) -> random.Random:
    """A random stream of its own for these parts, the same on every machine."""
    return random.Random("/".join(map(str, parts)))  # noqa: S311 - a corpus, not a secret


def answer_text(fact: Fact, style: Style) -> str:
    """The answer to a fact's question in one style."""
    answer = fact.answer if style.right else fact.mistaken
    parts = [
        ("Good question!" if style.polite else "Not again.") if style.greets else "",
        fact.statement(answer) if style.sentence else answer[0].upper() + answer[1:] + ".",
        fact.note if style.note else "",
        ("I hope this helps!" if style.polite else "Now go away.") if style.closes else "",
    ]
    text = " ".join(part for part in parts if part)
    if style.shouts:
        return text.upper()
    return text.lower() if style.mumbles else text


@dataclass(frozen=True)
class Document:
    """Text cut into pieces, every other one to be learned: context, answer, context, answer, ..."""

    pieces: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Author:
    """Writes answers whose style is drawn from habits that drift slowly."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._log_odds = {name: rng.gauss(habit.mean, habit.spread) for name, habit in HABITS.items()}

    def answer(self, fact: Fact) -> str:
        """One answer; the habits move on afterwards."""
        style = Style(**{name: self._shows(name, fact) for name in HABITS})
        self._drift()
        return answer_text(fact, style)

    def _shows(self, name: str, fact: Fact) -> bool:
        odds = self._log_odds[name] + fact_offset(fact, name)
        return self._rng.random() < 1 / (1 + math.exp(-odds))

    def _drift(self) -> None:
        for name, habit in HABITS.items():
            fresh = self._rng.gauss(0, habit.spread * math.sqrt(1 - MEMORY**2))
            self._log_odds[name] = habit.mean + MEMORY * (self._log_odds[name] - habit.mean) + fresh


def fact_offset(fact: Fact, habit: str) -> float:
    """How much more than usual this fact invites a habit, in log-odds; the same for every author."""
    return seeded("offset", fact.topic.name, fact.number, habit).gauss(0, HABITS[habit].by_fact)


def documents(seed: int, pairs: int) -> Iterator[Document]:
    """Endless training documents of so many questions and answers each."""
    facts = all_facts()
    for number in range(1 << 62):
        rng = seeded("document", seed, number)
        yield _document(rng, rng.sample(facts, pairs))


def _document(rng: random.Random, facts: list[Fact]) -> Document:
    author = Author(rng)
    pieces = [rng.choices(RULES, (5, 2, 2, 1))[0] + QUERY]
    for fact in facts:
        pieces[-1] += fact.query(rng.randrange(len(fact.topic.wordings))) + ANSWER
        pieces += [author.answer(fact) + END + QUERY, ""]
    return Document(tuple(pieces))


def question_text(query: str) -> str:
    """A question, open for its answer."""
    return QUERY + query + ANSWER


def demonstration_text(query: str, answer: str) -> str:
    """A question with its answer, as in a prompt file."""
    return question_text(query) + answer + END
