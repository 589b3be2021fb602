"""Rows in the forms that people have them in."""

from typing import Any

import pytest

from configs.errors import InputError
from configs.row import Row
from search.problem.exchange import Exchange, Fields, exchange_of

ALPACA = Fields("instruction", "output")
ONE_TURN: list[dict[str, Any]] = [
    {"query": "Why?", "answer": "So."},
    {"query": ["Why?"], "answer": ["So."]},
    {"query": "Why?", "answer": "So.", "follow_up_query": None, "follow_up_answer": ""},
    {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]},
    {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]},
    {"conversations": ["Why?", "So."]},
    {"conversation": [{"role": "User", "text": "Why?"}, {"role": "AI", "text": "So."}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "Wh"}, {"type": "text", "text": "y?"}]},
                  {"role": "chatbot", "content": "So."}]},
]  # fmt: skip
TWO_TURNS: list[dict[str, Any]] = [
    {"query": ["Why?", "And?"], "answer": ["So.", "Thus."]},
    {"query": "Why?", "answer": "So.", "follow_up_query": "And?", "follow_up_answer": "Thus."},
    {"query": "Why?", "answer": "So.", "follow_up_query": ["And?"], "follow_up_answer": ["Thus."]},
    {
        "messages": [
            {"role": "user", "content": "Why?"},
            {"role": "assistant", "content": "So."},
            {"role": "user", "content": "And?"},
            {"role": "assistant", "content": "Thus."},
        ]
    },
    {
        "conversations": [
            {"from": "human", "value": "Why?"},
            {"from": "gpt", "value": "So."},
            {"from": "human", "value": "And?"},
            {"from": "gpt", "value": "Thus."},
        ]
    },
    {"conversation": ["Why?", "So.", "And?", "Thus."]},
]


@pytest.mark.parametrize("row", ONE_TURN)
def test_a_row_is_two_fields_or_a_conversation(row: dict[str, Any]) -> None:
    assert exchange_of(Row(row, "here"), Fields()) == Exchange((("Why?", "So."),))


@pytest.mark.parametrize("row", TWO_TURNS)
def test_all_turns_of_a_row_are_read(row: dict[str, Any]) -> None:
    assert exchange_of(Row(row, "here"), Fields()) == Exchange((("Why?", "So."), ("And?", "Thus.")))


def test_follow_ups_stand_behind_the_turns_of_a_list() -> None:
    row = {"query": ["a", "c"], "answer": ["b", "d"], "follow_up_query": ["e", "g"], "follow_up_answer": ["f", "h"]}
    assert exchange_of(Row(row, "here"), Fields()).turns == (("a", "b"), ("c", "d"), ("e", "f"), ("g", "h"))
    without = Fields(follow_up_query=None, follow_up_answer=None)
    assert exchange_of(Row(row, "here"), without).turns == (("a", "b"), ("c", "d"))


@pytest.mark.parametrize(
    "turns",
    [
        ["a"],
        ["a", "b", "c"],
        [],
        [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        [{"role": "user", "content": "u"}, {"role": "user", "content": "v"}],
        [{"role": "assistant", "content": "u"}, {"role": "user", "content": "v"}],
        [{"role": "user", "content": "u"}, {"role": "tool", "content": "v"}],
        [3],
        [{"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "u"}]}, "v"],
    ],
)
def test_a_conversation_of_another_shape_is_refused_with_what_it_holds(turns: list[Any]) -> None:
    with pytest.raises(InputError, match=r"^here"):
        exchange_of(Row({"messages": turns}, "here"), Fields())


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"query": ["a", "b"], "answer": ["c"]}, "'query' is a list of 2, and 'answer' has 1; give a list"),
        ({"query": ["a", "b"], "answer": "c"}, "'query' is a list of 2, and 'answer' has no list"),
        ({"query": [], "answer": []}, "'query' is a list of 0"),
        ({"query": "a", "answer": ["c"]}, "field 'answer' holds a list, not text"),
        ({"query": ["a", 3], "answer": ["b", "c"]}, "field 'query' holds a number, not text"),
        ({"query": "a", "answer": "b", "follow_up_query": "c"}, r"do not hold as many texts \(1 and 0\)"),
        ({"query": "a", "answer": "b", "follow_up_answer": "c"}, "give every follow-up its answer"),
        ({"query": "a", "answer": "b", "follow_up_query": {}, "follow_up_answer": "c"}, "holds an object, not text"),
    ],
)
def test_turns_that_do_not_pair_up_are_refused_with_what_to_do(row: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=f"^here: .*{complaint}"):
        exchange_of(Row(row, "here"), Fields())


def test_further_input_stands_behind_the_first_query_and_never_vanishes() -> None:
    row = Row({"instruction": "Translate.", "input": "Good night", "output": "Bonne nuit"}, "here")
    assert exchange_of(row, ALPACA) == ((("Translate.\n\nGood night", "Bonne nuit"),), True)
    longer = Row({**row, "follow_up_query": "Again.", "follow_up_answer": "Bonne nuit"}, "here")
    assert exchange_of(longer, ALPACA).turns[0] == ("Translate.\n\nGood night", "Bonne nuit")
    assert len(exchange_of(longer, ALPACA).turns) == 2


def test_further_input_is_left_out_where_the_config_says_so() -> None:
    row = Row({"instruction": "Translate.", "input": "Good night", "output": "Bonne nuit"}, "here")
    assert exchange_of(row, ALPACA._replace(input=None)).turns[0][0] == "Translate."
    assert exchange_of(row, ALPACA._replace(query="input")).turns[0][0] == "Good night"


@pytest.mark.parametrize(
    ("knobs", "cure"), [("pool", "or set pool.input_field to null to leave it out"), ("v", "text$")]
)
def test_further_input_that_is_no_text_is_refused_with_what_to_do(knobs: str, cure: str) -> None:
    row = Row({"instruction": "Square it.", "input": 7, "output": "49"}, "here")
    with pytest.raises(InputError, match=rf"'input', which would stand behind the query, holds a number, .*{cure}"):
        exchange_of(row, ALPACA._replace(knobs=knobs))
