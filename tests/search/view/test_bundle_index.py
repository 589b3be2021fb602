"""A bundle's answers stand in small files, however many there are, and every file is one value handed over."""

import json
import re
from collections.abc import Iterator

from search.results.answers_table import Answer
from search.view.answer_index import AnswerRow
from search.view.bundle_index import CHUNK_CHARACTERS, CHUNK_ROWS, row_files, text_files


def rows(number: int) -> Iterator[AnswerRow]:
    for at in range(number):
        query = f"Question {at % 80} </script>" + " word" * 40
        key = f"prompt {at // 80}"
        yield AnswerRow(at, at, "search", key, key, "", f"q{at % 80}", "", query, 1 / 3, None, "", 1200, "", "")


def values(file: str, function: str) -> object:
    match = re.fullmatch(rf"{function}\((.*)\);\n", file)
    assert match is not None
    return json.loads(match[1])


def test_fifty_thousand_answers_are_in_files_of_less_than_half_a_megabyte() -> None:
    files = [*row_files(rows(50_000))]
    assert len(files) == 50_000 // CHUNK_ROWS
    assert max(map(len, files)) < 500_000
    columns = values(files[-1], "takeRows")
    assert isinstance(columns, dict)
    assert len(columns["query"]["texts"]) == 80
    assert max(map(len, columns["query"]["texts"])) == 140
    assert columns["score"] == [0.3333] * CHUNK_ROWS


def test_every_text_that_a_search_looks_through_is_in_one_file_of_limited_size() -> None:
    words = "say " * 500
    answer = Answer(0, "search", "p", (), (), "", "q", "", "Why?", 1.0, "", 9, (), (words,), (1.0,), ("Good.",))
    files = [*text_files([answer] * 500)]
    assert max(map(len, files)) < CHUNK_CHARACTERS + 3000
    texts = [text for file in files for text in values(file, "takeTexts")]  # type: ignore[attr-defined]
    assert texts == [f"Why?\n{words}\nGood."] * 500
