"""Every answer of a run in an index in memory that can be filtered, sorted and searched, however many there are; texts
stay in the ledger until somebody wants to see or search them."""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from evaluators.question import Question
from search.problem.trial import ScoredTrial
from search.results.answers_table import (
    NO_TEXTS,
    Answer,
    AnswerPlace,
    AskedPrompt,
    Outcome,
    TextReader,
    outcomes,
    whole_answer,
)
from search.results.stored_answers import StoredAnswer
from search.run_directory.reviews import Review, Reviewed
from search.view.answer_database import open_database
from search.view.answer_filter import Filter
from search.view.answer_rows import AnswerPage, AnswerRow, Drawn, Neighbours, PromptRow

PAGE = 50  # rows
_GIST = 160  # characters of an answer in the list
_AT_ONCE = 1_000  # answers whose texts are looked up together
_BY_PLACE = "CREATE INDEX IF NOT EXISTS by_place ON asked (number, trial)"  # made at once it takes a third of the time
_CHANGES = """
WITH own AS (SELECT trial FROM trials WHERE candidate = ?)
UPDATE asked SET change = score - (
    SELECT base.score FROM asked AS base
    WHERE base.number = asked.number AND base.trial IN own AND base.score IS NOT NULL ORDER BY base.id LIMIT 1)
WHERE change IS NULL AND trial NOT IN own
"""


class AnswerIndex:
    """The answers of one run. Safe to ask from several threads.

    Args:
        questions: by id.
        read_texts: of the run.
        salt: of the order in which answers are drawn.
    """

    def __init__(self, questions: Mapping[str, Question], read_texts: TextReader, salt: str = "") -> None:
        self._questions, self._read_texts = questions, read_texts
        self._lock, self._indexing_words = threading.Lock(), threading.Lock()
        self._database = open_database(salt)
        self._roles: dict[str, str] = {}
        self._reviews: Mapping[Reviewed, Review] = {}
        self.damage = ""  # of the reviews
        self._asked: dict[int, AskedPrompt] = {}
        self._numbers = {name: number for number, name in enumerate(questions)}
        categories = [(self._numbers[name], name, question.category) for name, question in questions.items()]
        with self._database:
            self._database.executemany("INSERT INTO questions VALUES (?, ?, ?)", categories)
        self._count = 0
        self._count_with_words = 0

    @property
    def trials(self) -> int:
        """The number behind that of the last trial."""
        return max(self._asked, default=-1) + 1

    def add(self, asked: Iterable[tuple[AskedPrompt, ScoredTrial]], roles: Mapping[str, str]) -> None:
        """Take further trials in.

        Args:
            roles: keys of the candidates that have one now, by role; the base prompt's is what others are compared
                with.
        """
        with self._lock, self._database:
            self._roles = dict(roles)
            for prompt, scored in asked:
                self._keep(prompt, scored)
            self._database.execute(_BY_PLACE)
            self._database.execute(_CHANGES, [self._roles.get("base prompt", "")])

    def _keep(self, asked: AskedPrompt, scored: ScoredTrial) -> None:
        self._asked[asked.trial] = asked
        trial = (asked.trial, asked.side, asked.prompt, asked.key)
        self._database.execute("INSERT INTO trials VALUES (?, ?, ?, ?)", trial)
        rows = []
        for number, (name, (score, failure, length, turns)) in enumerate(outcomes(scored), self._count):
            keys = scored.keys.get(name, "")
            place = (number, asked.trial, self._numbers[name])
            rows.append((*place, score, None, failure, length, json.dumps(turns) if turns else "[]", keys))
        self._database.executemany("INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._count += len(rows)

    def take_reviews(self, reviews: Mapping[Reviewed, Review], damage: str = "") -> None:
        """What people say of the answers now, or what is wrong with the file of it."""
        with self._lock, self._database:
            self.damage = damage
            if reviews != self._reviews:
                rows = [(*of, review.verdict or None, review.comment, review.blind) for of, review in reviews.items()]
                self._database.execute("DELETE FROM reviews")
                self._database.executemany("INSERT INTO reviews VALUES (?, ?, ?, ?, ?)", rows)
                self._reviews = reviews

    def review(self, answer: Answer) -> Review:
        """What a person says of this answer; an empty review where nobody does."""
        return self._reviews.get(answer.reviewed, Review())

    def _index_words(self) -> None:
        """Make the words of all answers searchable, on demand: all texts are read from the ledger for that, once."""
        with self._indexing_words:
            for first in range(self._count_with_words, self._count, _AT_ONCE):
                rows = self._with_texts(range(first, min(first + _AT_ONCE, self._count)))
                words = [
                    (row.id, self._questions[row.question].query, "\n".join(stored.answers), "\n".join(verdicts))
                    for row, stored in rows
                    for verdicts in ([verdict.words for verdict in stored.verdicts],)
                ]
                with self._lock, self._database:
                    self._database.executemany(
                        "INSERT INTO words (rowid, query, answers, judge) VALUES (?, ?, ?, ?)", words
                    )
                self._count_with_words += len(rows)

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
        total = self._first_row(f"SELECT count(*) FROM answers {where}", values)[0]  # noqa: S608 -- constants
        ids = self._all(
            f"SELECT id FROM answers {where} ORDER BY {wanted.ordering()} LIMIT ? OFFSET ?",  # noqa: S608 -- constants
            [*values, PAGE, PAGE * wanted.page],
        )
        named = self._role_names()
        shown = (self._shown(row, stored, named) for row, stored in self._with_texts([number for (number,) in ids]))
        return AnswerPage(tuple(shown), total)

    def _role_names(self) -> dict[str, str]:
        return {key: role for role, key in reversed(self._roles.items())}

    def _shown(self, row: "_Row", stored: StoredAnswer, named: Mapping[str, str]) -> AnswerRow:
        asked, question = self._asked[row.trial], self._questions[row.question]
        review = self._reviews.get(Reviewed(asked.key, row.question), Review())
        return AnswerRow(
            id=row.id,
            trial=row.trial,
            side=asked.side,
            prompt=asked.prompt,
            candidate=asked.key,
            decoding=asked.decoding,
            question=row.question,
            category=question.category,
            query=question.query,
            score=row.score,
            change=row.change,
            failure=row.failure,
            length=row.length,
            gist=(stored.answers[-1] if stored.answers else "")[:_GIST],
            verdict=review.verdict,
            comment=review.comment,
            role=named.get(asked.key, ""),
        )

    def prompts(self, most: int) -> tuple[list[PromptRow], int]:
        """Every prompt once, and how many there are: those with a role first, then by how many scores they have, then
        by their mean; `most` of them."""
        named = self._role_names()
        rows = self._all(
            "SELECT min(trial), count(score), avg(score), candidate FROM answers GROUP BY candidate "
            "ORDER BY count(score) DESC, avg(score) DESC, min(trial)",
            [],
        )
        prompts = [
            PromptRow(trial, asked.prompt, asked.decoding, questions, score, named.get(key, ""))
            for trial, questions, score, key in rows
            for asked in (self._asked[trial],)
        ]
        return sorted(prompts, key=lambda row: not row.role)[:most], len(prompts)

    def answer(self, place: AnswerPlace) -> Answer | None:
        """The answer at this place, whole."""
        number = self._id(place)
        return None if number is None else self.whole([number])[0]

    def whole(self, ids: Sequence[int]) -> list[Answer]:
        """The answers of these rows, whole."""
        return [
            whole_answer(
                self._asked[row.trial],
                self._questions[row.question],
                Outcome(row.score, row.failure, row.length, tuple(json.loads(row.turns))),
                stored,
            )
            for row, stored in self._with_texts(ids)
        ]

    def around(self, place: AnswerPlace, wanted: Filter) -> Neighbours | None:
        """Neighbours of an answer among what fits the filter; None where it does not fit itself."""
        where, values = self._conditions(wanted)
        window = f"WINDOW w AS (ORDER BY {wanted.ordering()})"
        shown = "lag(id) OVER w, lead(id) OVER w, row_number() OVER w, count(*) OVER ()"
        row = self._first_row(
            f"SELECT * FROM (SELECT id, {shown} FROM answers {where} {window}) WHERE id = ?",  # noqa: S608 -- constants
            [*values, self._id(place)],
        )
        return row and Neighbours(self._place(row[1]), self._place(row[2]), row[3], row[4])

    def draw(self, wanted: Filter, after: int) -> Drawn:
        """An answer to review blind, at random: of those that fit the filter, the first behind this place in an order
        of their own that has no verdict; in the first trial that has it."""
        counts = []
        for review in ("unseen", "any"):
            where, values = self._conditions(replace(wanted, review=review))
            query = f"SELECT count(*) FROM (SELECT 1 FROM answers {where} GROUP BY candidate, question)"  # noqa: S608
            counts.append(self._first_row(query, values)[0])
        where, values = self._conditions(replace(wanted, review="unseen"))
        query = (
            f"SELECT min(id), shuffled(candidate, question) AS at FROM answers {where} "  # noqa: S608 -- constants
            "GROUP BY candidate, question ORDER BY at <= ?, at LIMIT 1"
        )
        number, at = self._first_row(query, [*values, after]) or (None, -1)
        return Drawn(self._place(number), at, *counts)

    def of_role(self, answers: Sequence[Answer], role: str) -> list[Answer | None]:
        """What the candidate of this role answers to the same question as each of these; None where it has none."""
        query = """SELECT max(id) FROM asked
            WHERE number = ? AND trial IN (SELECT trial FROM trials WHERE candidate = ? AND side = ?)"""
        key = self._roles.get(role)
        asked = ((self._numbers.get(answer.question), key, answer.side) for answer in answers)
        ids = [self._first_row(query, values)[0] for values in asked]
        answered = iter(self.whole([number for number in ids if number is not None]))
        return [None if number is None else next(answered) for number in ids]

    def choices(self, column: Literal["side", "category"]) -> list[str]:
        """What a filter may be set to."""
        rows = self._all(f"SELECT {column} FROM answers GROUP BY 1 ORDER BY min(id)", [])  # noqa: S608 -- constants
        return [value for (value,) in rows if value]

    def close(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._database.close()

    def _id(self, place: AnswerPlace) -> int | None:
        query = "SELECT max(id) FROM asked WHERE number = ? AND trial = ?"
        number: int | None = self._first_row(query, (self._numbers.get(place.question), place.trial))[0]
        return number

    def _place(self, number: int | None) -> AnswerPlace | None:
        row = self._first_row("SELECT trial, question FROM answers WHERE id = ?", (number,))
        return row and AnswerPlace(*row)

    def _with_texts(self, ids: Sequence[int]) -> list[tuple["_Row", StoredAnswer]]:
        """Rows and what the ledger has of them, in the order of the ids."""
        query = f"SELECT {', '.join(_Row._fields)} FROM answers WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608
        rows = {row.id: row for row in map(_Row._make, self._all(query, [json.dumps([*ids])]))}
        stored = self._read_texts({row.place: row.keys for row in rows.values() if row.keys})
        return [(rows[number], stored.get(rows[number].place, NO_TEXTS)) for number in ids]

    def _first_row(self, query: str, values: Sequence[Any]) -> Any:
        with self._lock:
            return self._database.execute(query, values).fetchone()

    def _all(self, query: str, values: Sequence[Any]) -> list[Any]:
        with self._lock:
            return self._database.execute(query, values).fetchall()


class _Row(NamedTuple):
    id: int
    trial: int
    question: str
    score: float | None
    change: float | None
    failure: str
    length: int | None
    turns: str
    keys: str

    @property
    def place(self) -> AnswerPlace:
        return AnswerPlace(self.trial, self.question)
