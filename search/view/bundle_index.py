"""A run's answers as files that a page without a server filters and searches: columns in chunks, and texts in others.

Each file is a script that hands one JSON value over, since pages opened from disk may load scripts and nothing else.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from search.results.answers_table import Answer
from search.view.answer_index import AnswerRow

CHUNK_ROWS = 5_000
CHUNK_CHARACTERS = 400_000
_QUERY = 140  # characters of a question in the list
_WORDS = ("prompt", "query", "category", "side", "role", "failure", "decoding")
"""Columns of texts that many rows share: each text stands once in a chunk."""
_NUMBERS = ("score", "change", "length")


def row_files(rows: Iterable[AnswerRow]) -> Iterator[str]:
    """Files of all rows but for their texts, in order; `CHUNK_ROWS` in each."""
    chunk: list[AnswerRow] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK_ROWS:
            yield _script("takeRows", _columns(chunk))
            chunk = []
    if chunk:
        yield _script("takeRows", _columns(chunk))


def text_files(answers: Iterable[Answer]) -> Iterator[str]:
    """Files of the texts that a search looks through (question, answers, the judge's words), in order."""
    chunk, characters = list[str](), 0
    for answer in answers:
        chunk.append("\n".join((answer.query, *answer.answers, *answer.words)))
        characters += len(chunk[-1])
        if characters >= CHUNK_CHARACTERS:
            yield _script("takeTexts", chunk)
            chunk, characters = [], 0
    if chunk:
        yield _script("takeTexts", chunk)


def _columns(rows: list[AnswerRow]) -> dict[str, Any]:
    """Rows as columns: texts by their number in a list of their own, numbers as they are."""
    columns: dict[str, Any] = {}
    for name in _WORDS:
        values = [_shown(name, row) for row in rows]
        texts = [*dict.fromkeys(values)]
        numbers = {text: number for number, text in enumerate(texts)}
        columns[name] = {"texts": texts, "rows": [numbers[value] for value in values]}
    for name in _NUMBERS:
        columns[name] = [_rounded(getattr(row, name)) for row in rows]
    return columns


def _shown(name: str, row: AnswerRow) -> str:
    text = str(getattr(row, name))
    if name != "query":
        return text
    return text if len(text) <= _QUERY else f"{text[: _QUERY - 1]}…"


def _rounded(value: float | None) -> float | None:
    return value if value is None else round(value, 4)


def _script(function: str, value: Any) -> str:
    return f"{function}({json.dumps(value, separators=(',', ':'))});\n"
