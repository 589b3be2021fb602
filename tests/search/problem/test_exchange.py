"""Rows in the forms that people have them in."""

from typing import Any

import pytest

from configs.errors import InputError
from configs.row import Row
from search.problem.exchange import exchange_of

ROWS: list[dict[str, Any]] = [
    {"query": "Why?", "answer": "So."},
    {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]},
    {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]},
    {"conversations": ["Why?", "So."]},
]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_two_fields_or_a_conversation_of_one_turn(row: dict[str, Any]) -> None:
    assert exchange_of(Row(row, "here"), "query", "answer", "input", "pool")[:2] == ("Why?", "So.")


@pytest.mark.parametrize(
    "turns",
    [["a", "b", "c", "d"], ["a"], [], [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}], [3]],
)
def test_a_conversation_of_another_shape_is_refused_with_what_it_holds(turns: list[Any]) -> None:
    with pytest.raises(InputError, match=r"^here"):
        exchange_of(Row({"messages": turns}, "here"), "query", "answer", "input", "pool")


def test_further_input_stands_behind_the_query_and_never_vanishes() -> None:
    row = Row({"instruction": "Translate.", "input": "Good night", "output": "Bonne nuit"}, "here")
    assert exchange_of(row, "instruction", "output", "input", "pool") == (
        "Translate.\n\nGood night",
        "Bonne nuit",
        True,
    )
    assert exchange_of(row, "instruction", "output", None, "pool").query == "Translate."
    assert exchange_of(row, "input", "output", "input", "pool").query == "Good night"
