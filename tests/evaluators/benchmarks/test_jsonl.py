from typing import Any

import pytest

from configs.errors import InputError
from configs.row import Row
from configs.schema.data import QuestionsConfig
from evaluators.benchmarks.jsonl import question_from_row
from evaluators.question import Question

DEFAULT = QuestionsConfig()


def question(config: QuestionsConfig = DEFAULT, **fields: Any) -> Question:
    return question_from_row(Row(fields, "q.jsonl, line 3"), config)


def test_a_row_becomes_a_question() -> None:
    assert question(id=3, query="Why?", category="c", reference="So.") == Question("3", ("Why?",), "c", ("So.",))


def test_category_and_reference_may_be_missing() -> None:
    assert question(id="a", query="Why?") == Question("a", ("Why?",))


def test_a_list_of_turns_has_a_reference_each() -> None:
    assert question(id="a", query=["Why?", "And?"], reference=["So.", "Yes."]) == Question(
        "a", ("Why?", "And?"), "", ("So.", "Yes.")
    )
    assert question(id="a", query=["Why?"], reference=[]).reference() is None


def test_fields_are_named_in_the_config() -> None:
    config = QuestionsConfig(id_field="n", query_field="q", category_field="k", reference_field="r")
    assert question(config, n=1, q="Why?", k=2, r="So.") == Question("1", ("Why?",), "2", ("So.",))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"id": [1], "query": "Why?"}, "field 'id' holds a list, not text"),
        ({"id": 1, "question": "Why?"}, "there is no field 'query'; name one of: id, question"),
        ({"id": 1, "query": " "}, "the question in 'query' is empty"),
        ({"id": 1, "query": None}, "the question in 'query' is empty"),
        ({"id": 1, "query": []}, "field 'query' holds a list, not text"),
        ({"id": 1, "query": [2]}, "field 'query' holds a number, not text"),
        ({"id": 1, "query": "Why?", "reference": 4}, "field 'reference' holds a number, not text"),
    ],
)
def test_a_row_that_asks_nothing_is_refused_with_its_place(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=f"^q\\.jsonl, line 3: {complaint}"):
        question(**fields)


def test_a_row_without_an_id_is_known_by_its_query() -> None:
    first, second = (question(QuestionsConfig(), query="Why?", category=name) for name in ("a", "b"))
    assert first.id == second.id != question(QuestionsConfig(), query="How?").id


def test_alpacas_input_stands_behind_the_question_and_makes_its_id_another() -> None:
    config = QuestionsConfig(query_field="instruction")
    first, second = (question(config, instruction="Translate.", input=text) for text in ("Good day", "Good night"))
    assert first.turns == ("Translate.\n\nGood day",)
    assert first.id != second.id


@pytest.mark.parametrize(
    "fields", [{"input": ""}, {"input": " "}, {"input": None}, {"input": 3}, {"input": ["more"]}, {}]
)
def test_an_input_that_is_no_text_leaves_the_question_as_it_is(fields: dict[str, Any]) -> None:
    assert question(id="a", query="Why?", **fields) == Question("a", ("Why?",))


def test_an_input_is_left_out_where_the_config_says_so_or_reads_it_as_something_else() -> None:
    assert question(QuestionsConfig(input_field=None), query="Why?", input="x").turns == ("Why?",)
    assert question(QuestionsConfig(query_field="input"), input="Why?").turns == ("Why?",)
    assert question(query=["Why?", "And?"], input="x").turns == ("Why?", "And?")
