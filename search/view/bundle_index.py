"""A run's answers as files that a page without a server filters and searches: columns in chunks, and texts in others.

Each file is a script that hands one JSON value over, since pages opened from disk may load scripts and nothing else.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from search.results.answers_table import Answer
from search.view.answer_rows import AnswerRow

CHUNK_ROWS = 5_000
CHUNK_BYTES = 450_000  # one answer that is longer has a file of its own
_NUMBERS_SIZE = 60  # bytes of a row's numbers in a file, about
_QUERY = 140  # characters of a question in the list
_WORDS = ("prompt", "query", "category", "side", "role", "failure", "decoding", "verdict", "comment")
"""Columns of texts that many rows share: each text stands once in a chunk."""
_NUMBERS = ("score", "change", "length")


def row_files(rows: Iterable[AnswerRow]) -> Iterator[str]:
    """Files of all rows but for their texts, in order; `CHUNK_ROWS` in each, or fewer whose words fill it."""
    chunk, words, size = list[AnswerRow](), set[str](), 0
    for row in rows:
        new = {_shown(name, row) for name in _WORDS} - words
        added = _NUMBERS_SIZE + sum(map(_encoded_size, new))
        if chunk and (len(chunk) == CHUNK_ROWS or size + added > CHUNK_BYTES):
            yield _script("takeRows", _columns(chunk))
            chunk, words, size = [], set(), 0
        chunk.append(row)
        words |= new
        size += added
    if chunk:
        yield _script("takeRows", _columns(chunk))


def text_files(answers: Iterable[Answer]) -> Iterator[str]:
    """Files of the texts that a search looks through (question, answers, the judge's words), in order."""
    chunk, size = list[str](), 0
    for answer in answers:
        text = "\n".join((answer.query, *answer.answers, *answer.words))
        added = _encoded_size(text)
        if chunk and size + added > CHUNK_BYTES:
            yield _script("takeTexts", chunk)
            chunk, size = [], 0
        chunk.append(text)
        size += added
    if chunk:
        yield _script("takeTexts", chunk)


def _encoded_size(text: str) -> int:
    """Bytes of a text in a file: JSON has six for a letter beyond ASCII."""
    return len(json.dumps(text)) + 1


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
