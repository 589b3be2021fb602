"""Every answer of a run in an index in memory that can be filtered, sorted and searched, however many there are."""

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pydantic import TypeAdapter

from search.results.answers_table import Answer
from search.view.answer_filter import Filter

PAGE = 50  # rows
_GIST = 160  # characters of an answer in the list
_ANSWER = TypeAdapter(Answer)
_COLUMNS = (
    "id, trial, side, prompt, candidate, decoding, question, category, query, score, change, failure, length, gist"
)
_SCHEMA = """
CREATE TABLE answers (
    id INTEGER PRIMARY KEY, trial INTEGER, side TEXT, prompt TEXT, candidate TEXT, decoding TEXT, question TEXT,
    category TEXT, query TEXT, score REAL, change REAL, failure TEXT, length INTEGER, gist TEXT, content TEXT);
CREATE INDEX by_question ON answers (question, side, candidate);
CREATE INDEX by_trial ON answers (trial, question);
CREATE VIRTUAL TABLE words USING fts5 (query, answers, judge, content='');
"""
_WORDS = """
INSERT INTO words (rowid, query, answers, judge)
SELECT id, query, (SELECT group_concat(value, char(10)) FROM json_each(content, '$.answers')),
    (SELECT group_concat(value, char(10)) FROM json_each(content, '$.words'))
FROM answers WHERE id >= ?
"""
_CHANGES = """
UPDATE answers SET change = answers.score - base.score
FROM answers AS base WHERE answers.change IS NULL AND base.candidate = ? AND base.score IS NOT NULL
    AND answers.candidate != base.candidate
    AND base.question = answers.question AND base.side = answers.side
"""


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One line of the list.

    Attributes:
        change: the score less the base prompt's on the same question and side.
        gist: the beginning of the last answer.
        role: "base prompt", "winner", "best so far" or "runner-up"; "" for another.
    """

    id: int
    trial: int
    side: str
    prompt: str
    candidate: str
    decoding: str
    question: str
    category: str
    query: str
    score: float | None
    change: float | None
    failure: str
    length: int | None
    gist: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """A page of answers, and how many fit in all."""

    rows: tuple[AnswerRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt that was answered.

    Attributes:
        trial: its first.
        questions: it has a score on, over all sides; `score` is the mean over them.
        role: as an `AnswerRow` has it.
    """

    trial: int
    prompt: str
    decoding: str
    questions: int
    score: float | None
    role: str


class AnswerPlace(NamedTuple):
    """A trial and a question: an address of an answer that stays."""

    trial: int
    question: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What stands around an answer among those that fit.

    Attributes:
        number: its own place, from 1, of `total`.
    """

    before: AnswerPlace | None
    behind: AnswerPlace | None
    number: int
    total: int


def candidate_key(demonstrations: Iterable[str], decoding: str) -> str:
    """A candidate as one text."""
    return "\x1f".join((*demonstrations, decoding))


class AnswerIndex:
    """The answers of one run. Safe to ask from several threads.

    Args:
        answers: trial by trial.
        roles: keys of the candidates that have one, by role; the base prompt's is what others are compared with.
    """

    def __init__(self, answers: Iterable[Answer] = (), roles: Mapping[str, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._roles: dict[str, str] = {}
        self._count = 0
        self._count_with_words = 0
        self.trials = 0
        self.add(answers, roles or {})

    def add(self, answers: Iterable[Answer], roles: Mapping[str, str]) -> None:
        """Take further trials in; roles are as they are now."""
        with self._lock, self._database:
            self._roles = dict(roles)
            first = self._count
            for answer in answers:
                self._keep(answer)
                self._count += 1
                self.trials = answer.trial + 1
            if self._count > first:
                self._database.execute(_CHANGES, [self._roles.get("base prompt", "")])

    def _keep(self, answer: Answer) -> None:
        number, gist = self._count, (answer.answers[-1] if answer.answers else "")[:_GIST]
        key = answer.prompt if answer.side == "evaluation" else candidate_key(answer.candidate, answer.decoding)
        asked = (answer.trial, answer.side, answer.prompt, key, answer.decoding, answer.question, answer.category)
        measured = (answer.score, None, answer.failure, answer.length, gist, _ANSWER.dump_json(answer).decode())
        marks = ", ".join("?" * 15)
        row = (number, *asked, answer.query, *measured)
        self._database.execute(f"INSERT INTO answers VALUES ({marks})", row)  # noqa: S608 -- constants

    def _index_words(self) -> None:
        """Make the words of all answers searchable, on demand: it takes a tenth of the time of the rest."""
        with self._lock, self._database:
            if self._count_with_words < self._count:
                self._database.execute(_WORDS, [self._count_with_words])
                self._count_with_words = self._count

    def _conditions(self, wanted: Filter) -> tuple[str, list[Any]]:
        if wanted.words:
            self._index_words()
        return wanted.conditions(self._roles)

    @property
    def roles(self) -> list[str]:
        """Roles that a filter may ask for."""
        return list(self._roles)

    def find(self, wanted: Filter) -> AnswerPage:
        """One page of what fits, in the order asked for."""
        where, values = self._conditions(wanted)
        total = self._first_value(f"SELECT count(*) FROM answers {where}", values)[0]  # noqa: S608 -- constants
        rows = self._all(
            f"SELECT {_COLUMNS} FROM answers {where} ORDER BY {wanted.ordering()} LIMIT ? OFFSET ?",  # noqa: S608
            [*values, PAGE, PAGE * max(0, wanted.page)],
        )
        named = {key: role for role, key in reversed(self._roles.items())}
        return AnswerPage(tuple(AnswerRow(*(*row, named.get(row[4], ""))) for row in rows), total)

    def prompts(self, most: int) -> tuple[list[PromptRow], int]:
        """Every prompt once, and how many there are: those with a role first, then by how many scores they have, then
        by their mean; `most` of them."""
        named = {key: role for role, key in reversed(self._roles.items())}
        rows = self._all(
            "SELECT min(trial), prompt, decoding, count(score), avg(score), candidate FROM answers GROUP BY candidate "
            "ORDER BY count(score) DESC, avg(score) DESC, min(trial)",
            [],
        )
        prompts = [
            PromptRow(trial, prompt, decoding, questions, score, named.get(key, ""))
            for trial, prompt, decoding, questions, score, key in rows
        ]
        return sorted(prompts, key=lambda row: not row.role)[:most], len(prompts)

    def answer(self, place: AnswerPlace) -> Answer | None:
        """The answer at this place, whole."""
        return self._whole("trial = ? AND question = ?", place)

    def around(self, place: AnswerPlace, wanted: Filter) -> Neighbours | None:
        """Neighbours of an answer among what fits the filter; None where it does not fit itself."""
        where, values = self._conditions(wanted)
        window = f"WINDOW w AS (ORDER BY {wanted.ordering()})"
        columns = ("lag(trial)", "lag(question)", "lead(trial)", "lead(question)", "row_number()")
        shown = ", ".join(f"{column} OVER w" for column in columns)
        row = self._first_value(
            f"SELECT * FROM (SELECT trial, question, {shown}, count(*) OVER () FROM answers {where} {window}) "  # noqa: S608
            "WHERE trial = ? AND question = ?",
            [*values, *place],
        )
        if row is None:
            return None
        before = AnswerPlace(row[2], row[3]) if row[2] is not None else None
        behind = AnswerPlace(row[4], row[5]) if row[4] is not None else None
        return Neighbours(before, behind, row[6], row[7])

    def of_role(self, answer: Answer, role: str) -> Answer | None:
        """What the candidate of this role answers to the same question; None where it has none."""
        key = self._roles.get(role)
        return self._whole("question = ? AND side = ? AND candidate = ?", (answer.question, answer.side, key))

    def choices(self, column: Literal["side", "category"]) -> list[str]:
        """What a filter may be set to."""
        rows = self._all(f"SELECT {column} FROM answers GROUP BY 1 ORDER BY min(id)", [])  # noqa: S608 -- constants
        return [value for (value,) in rows if value]

    def close(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._database.close()

    def _whole(self, condition: str, values: Iterable[Any]) -> Answer | None:
        row = self._first_value(f"SELECT content FROM answers WHERE {condition} ORDER BY id DESC LIMIT 1", [*values])  # noqa: S608
        return _ANSWER.validate_json(row[0]) if row else None

    def _first_value(self, query: str, values: list[Any]) -> Any:
        with self._lock:
            return self._database.execute(query, values).fetchone()

    def _all(self, query: str, values: list[Any]) -> list[Any]:
        with self._lock:
            return self._database.execute(query, values).fetchall()
