"""Every answer of a run in an index that can be filtered, sorted and searched, however many there are."""

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from search.results.answers_table import Answer, read_answers

PAGE = 50  # rows
_ANSWER = TypeAdapter(Answer)

Order = Literal["asked", "score", "change", "length", "question"]
_ORDERS: Mapping[str, str] = {
    "asked": "id",
    "score": "score IS NULL, score, id",
    "change": "change IS NULL, change, id",
    "length": "length IS NULL, length, id",
    "question": "question, id",
}
_COLUMNS = "id, trial, side, prompt, decoding, question, category, query, score, change, failure, length"
_SCHEMA = """
CREATE TABLE answers (
    id INTEGER PRIMARY KEY, trial INTEGER, side TEXT, prompt TEXT, decoding TEXT, question TEXT, category TEXT,
    query TEXT, score REAL, change REAL, failure TEXT, length INTEGER, content TEXT);
CREATE INDEX by_question ON answers (question);
CREATE VIRTUAL TABLE words USING fts5 (query, answers, judge, content='');
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which answers are wanted; an empty text or None asks for all.

    Attributes:
        words: that stand in the question, the answers or the judge's words, all of them; "quoted ones" together.
        change: against the base prompt on the same question: "better", "worse" or "same".
        least, most: score, both included.
        page: from 0.
    """

    words: str = ""
    side: str = ""
    category: str = ""
    prompt: str = ""
    question: str = ""
    change: str = ""
    failed: bool = False
    least: float | None = None
    most: float | None = None
    order: str = "asked"
    descending: bool = False
    page: int = 0


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One line of the list; `change` is the score less the base prompt's on the same question and side."""

    id: int
    trial: int
    side: str
    prompt: str
    decoding: str
    question: str
    category: str
    query: str
    score: float | None
    change: float | None
    failure: str
    length: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of answers, and how many fit in all."""

    rows: tuple[AnswerRow, ...]
    total: int


class AnswerIndex:
    """The answers of one run, read once. Safe to ask from several threads."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.executescript(_SCHEMA)
        base: dict[tuple[str, str], float] = {}
        with self._database:
            for number, answer in enumerate(answers):
                key = answer.side, answer.question
                if answer.score is not None and (answer.prompt == "base prompt" or answer.side == "evaluation"):
                    base.setdefault(key, answer.score)
                before = base.get(key)
                change = answer.score - before if answer.score is not None and before is not None else None
                self._keep(number, answer, change)

    @classmethod
    def of(cls, path: Path) -> "AnswerIndex":
        """Index the run at `path`. Raises InputError where there is none."""
        return cls(sorted(read_answers(path), key=lambda answer: answer.prompt != "base prompt"))

    def _keep(self, number: int, answer: Answer, change: float | None) -> None:
        columns = (answer.trial, answer.side, answer.prompt, answer.decoding, answer.question, answer.category)
        measured = (answer.score, change, answer.failure, answer.length, _ANSWER.dump_json(answer).decode())
        row = (number, *columns, answer.query, *measured)
        self._database.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        said = (number, answer.query, "\n".join(answer.answers), "\n".join(answer.words))
        self._database.execute("INSERT INTO words (rowid, query, answers, judge) VALUES (?, ?, ?, ?)", said)

    def find(self, wanted: Filter) -> Found:
        """One page of what fits, in the order asked for."""
        where, values = _conditions(wanted)
        order = _ORDERS.get(wanted.order, "id")
        if wanted.descending:
            order = ", ".join(part if "NULL" in part else f"{part} DESC" for part in order.split(", "))
        with self._lock:
            (total,) = self._database.execute(f"SELECT count(*) FROM answers {where}", values).fetchone()  # noqa: S608 -- constants
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM answers {where} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608 -- constants
                [*values, PAGE, PAGE * max(0, wanted.page)],
            ).fetchall()
        return Found(tuple(AnswerRow(*row) for row in rows), total)

    def answer(self, number: int) -> Answer | None:
        """The answer of this id, whole."""
        with self._lock:
            row = self._database.execute("SELECT content FROM answers WHERE id = ?", [number]).fetchone()
        return _ANSWER.validate_json(row[0]) if row else None

    def base_of(self, answer: Answer) -> Answer | None:
        """The base prompt's, or the first variant's, answer to the same question; None where this is it."""
        with self._lock:
            row = self._database.execute(
                "SELECT content FROM answers WHERE question = ? AND side = ? ORDER BY id LIMIT 1",
                [answer.question, answer.side],
            ).fetchone()
        base = _ANSWER.validate_json(row[0]) if row else None
        return base if base is not None and base.prompt != answer.prompt else None

    def choices(self, column: Literal["side", "category", "prompt"]) -> list[str]:
        """What a filter may be set to."""
        with self._lock:
            rows = self._database.execute(f"SELECT {column} FROM answers GROUP BY 1 ORDER BY min(id)").fetchall()  # noqa: S608 -- constants
        return [value for (value,) in rows if value]

    def close(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._database.close()


def _conditions(wanted: Filter) -> tuple[str, list[Any]]:
    conditions: list[tuple[str, list[Any]]] = [
        (f"{column} = ?", [value])
        for column in ("side", "category", "prompt", "question")
        if (value := getattr(wanted, column))
    ]
    changes = {"better": "change > 0", "worse": "change < 0", "same": "change = 0"}
    if wanted.change in changes:
        conditions.append((changes[wanted.change], []))
    if wanted.failed:
        conditions.append(("failure != ''", []))
    if wanted.least is not None:
        conditions.append(("score >= ?", [wanted.least]))
    if wanted.most is not None:
        conditions.append(("score <= ?", [wanted.most]))
    if match := _match(wanted.words.replace("\0", " ")):
        conditions.append(("id IN (SELECT rowid FROM words WHERE words MATCH ?)", [match]))
    where = " AND ".join(text for text, _ in conditions)
    return f"WHERE {where}" if where else "", [value for _, values in conditions for value in values]


def _match(words: str) -> str:
    """An FTS5 query that takes every character literally: "quoted words" together, the others in any place."""
    phrases = []
    for position, part in enumerate(words.split('"')):
        phrases += [part] if position % 2 else part.split()
    return " ".join(f'"{phrase.strip()}"' for phrase in phrases if phrase.strip())
