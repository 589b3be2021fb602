"""A bundle's answers stand in small files, however many there are, and every file is one value handed over."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from search.results.answers_table import Answer
from search.view.answer_rows import AnswerRow
from search.view.bundle_index import CHUNK_ROWS, row_files, text_files


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


def answered(words: str) -> Answer:
    return Answer(0, "search", "p", (), (), "", "q", "", "Why?", 1.0, "", 9, (), (words,), (1.0,), ("Good.",))


@pytest.mark.parametrize("words", ["say " * 500, "为什么" * 500, '"\n' * 900])
def test_every_text_that_a_search_looks_through_is_in_one_file_of_limited_size(words: str) -> None:
    files = [*text_files([answered(words)] * 500)]
    assert max(map(len, files)) < 500_000
    texts = [text for file in files for text in values(file, "takeTexts")]  # type: ignore[attr-defined]
    assert texts == [f"Why?\n{words}\nGood."] * 500


def test_an_answer_that_is_larger_than_a_file_should_be_stands_alone_in_one() -> None:
    sizes = [len(file) for file in text_files(map(answered, ("short", "为" * 100_000, "short")))]
    assert len(sizes) == 3
    assert sizes[1] > 600_000 > sizes[0] + sizes[2]


def test_rows_whose_questions_all_differ_are_in_more_files_of_limited_size() -> None:
    asked = [replace(row, query=f"{row.id} " + "为什么" * 60) for row in rows(2_000)]
    files = [*row_files(asked)]
    assert max(map(len, files)) < 500_000
    ids = [text.partition(" ")[0] for file in files for text in values(file, "takeRows")["query"]["texts"]]  # type: ignore[index]
    assert ids == [str(row.id) for row in asked]
