"""Counts with their nouns."""

import pytest

from configs.plural import show_many


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 questions have"), (1, "1 question has"), (2, "2 questions have"), (1200, "1,200 questions have")],
)
def test_a_count_agrees_with_its_noun_and_verb(number: int, said: str) -> None:
    assert show_many(number, "question has", "questions have") == said


def test_a_plural_that_is_not_given_ends_in_s() -> None:
    assert (show_many(1, "verdict"), show_many(2, "verdict")) == ("1 verdict", "2 verdicts")
