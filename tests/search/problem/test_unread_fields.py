"""Text that belongs to a question and that nobody reads is told, in the pool and among the questions."""

import json
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from configs.schema.data import PoolConfig, QuestionsConfig
from search.problem.pool import load_pool
from search.problem.split import load_split

NUMBER = ["one", "two", "three", "four"]
ASKED = {"query": "Which is {}?", "answer": "{}."}
SAID = [{"role": "user", "content": "Which is {}?"}, {"role": "assistant", "content": "{}."}]
SYSTEM = {"role": "system", "content": "Be rude."}
CONVERSATION = {"messages": SAID}
IN_ITS_TEXT = "what belongs to the query has to stand in its text"


def written(folder: Path, row: dict[str, Any]) -> Path:
    """A file with a row for each number, which stands where the row has braces."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row).replace("{}", number) + "\n" for number in NUMBER), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "knobs", "field", "cure"),
    [
        (ASKED | {"evidence": "Ann is {}."}, {}, "evidence", "name its field as pool.input_field"),
        ({"instruction": "Do it.", "input": "{}", "answer": "{}"}, {"query_field": "input"}, "instruction", "name its"),
        (ASKED | {"choices": ["a", "b"]}, {}, "choices", IN_ITS_TEXT),
        (ASKED | {"Context": "Ann is {}."}, {}, "Context", "name its field"),
        (CONVERSATION | {"system": "Be rude."}, {}, "system", IN_ITS_TEXT),
        (CONVERSATION | {"input": "Ann is {}."}, {}, "input", IN_ITS_TEXT),
    ],
)
def test_text_that_a_pool_leaves_out_is_told(
    tmp_path: Path, row: dict[str, Any], knobs: dict[str, str], field: str, cure: str
) -> None:
    (sentence,) = load_pool(PoolConfig.model_validate({"path": written(tmp_path, row), **knobs})).report.sentences()
    assert f"4 rows have something in '{field}', which is left out; " in sentence
    assert cure in sentence


@pytest.mark.parametrize(
    ("row", "knobs", "told"),
    [
        (ASKED | {"context": "Ann is {}."}, {}, "something in 'context', which is left out; to put a text behind"),
        (ASKED | {"options": {"A": "b"}}, {}, f"something in 'options', which is left out; {IN_ITS_TEXT}"),
        (ASKED | {"input": 7}, {}, f"something in 'input', which is left out; {IN_ITS_TEXT}"),
        (ASKED | {"query": ["{}?", "And?"], "input": "Ann."}, {}, "something in 'input', which is left out"),
        (ASKED | {"follow_up_query": "And?"}, {}, "something in 'follow_up_query', which is left out"),
        (
            {"messages": [SYSTEM, *SAID]},
            {"query_field": "messages[1].content", "reference_field": "messages[2].content"},
            "further messages in 'messages', which are left out",
        ),
        (
            {"messages": [*SAID, SAID[0]]},
            {"query_field": "messages[0].content"},
            "further messages in 'messages', which are left out",
        ),
    ],
)
def test_text_that_questions_leave_out_is_told(
    tmp_path: Path, row: dict[str, Any], knobs: dict[str, str], told: str
) -> None:
    (notice,) = load_split(QuestionsConfig.model_validate({"path": written(tmp_path, row), **knobs})).notices
    assert f"4 rows have {told}" in notice


@pytest.mark.parametrize(
    ("row", "knobs"),
    [
        (ASKED | {"category": "a", "source": "x", "model": "y", "url": "http://{}", "context": ""}, {}),
        (ASKED | {"context": "Ann is {}."}, {"judge_fields": ["context"]}),
        (CONVERSATION, {"query_field": "messages[0].content"}),
        ({"input": {"question": "Which is {}?"}}, {"query_field": "input.question"}),
        (ASKED | {"choices": ["{}.", "b"]}, {"reference_field": "choices[0]"}),
        ({"messages": [SYSTEM, *SAID]}, {"query_field": "messages[1].content", "judge_fields": ["messages"]}),
        (
            {"messages": [SYSTEM, *SAID]},
            {"query_field": "messages[1].content", "judge_fields": ["messages[0].content"]},
        ),
        (ASKED | {"image": False, "tools": 0, "system": None}, {}),
    ],
)
def test_nothing_is_told_where_nothing_is_left_out(tmp_path: Path, row: dict[str, Any], knobs: dict[str, Any]) -> None:
    assert not load_split(QuestionsConfig.model_validate({"path": written(tmp_path, row), **knobs})).notices


def test_a_pool_leaves_out_nothing_of_a_field_that_its_answers_stand_in(tmp_path: Path) -> None:
    path = written(tmp_path, {"query": "Which is {}?", "choices": [{"text": "{}."}]})
    assert not load_pool(PoolConfig(path=path, answer_field="choices[0].text")).report.sentences()


def test_a_field_of_any_name_is_told_in_which_rows_differ_that_ask_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, {"query": "Who is meant?", "answer": "{}", "id": "{}", "zettel": "Ann has {} of them."})
    (sentence,) = load_pool(PoolConfig(path=path)).report.sentences()
    assert "rows with the same question differ in 'zettel', which is left out" in sentence
    with pytest.raises(InputError, match=r"asked more than once: .*; name 'zettel' as questions\.input_field if it"):
        load_split(QuestionsConfig(path=path))
    assert not any("differ" in text for text in load_split(QuestionsConfig(path=path, input_field="zettel")).notices)


@pytest.mark.parametrize("field", ["answer", "Ground truth", "best_answer", "expected_outputs", "explanation"])
def test_what_is_said_of_a_question_is_not_proposed_as_a_part_of_it(tmp_path: Path, field: str) -> None:
    path = written(tmp_path, {"query": "Who is meant?", "reference": "{}", field: "Ann has {} of them."})
    with pytest.raises(InputError, match=r"asked more than once: [^;]*; delete the repetitions"):
        load_split(QuestionsConfig(path=path))


def test_a_conversation_in_the_place_of_a_question_is_refused_with_the_field_that_asks(tmp_path: Path) -> None:
    path = written(tmp_path, {"messages": [SYSTEM, *SAID]})
    with pytest.raises(InputError, match=r"holds a list of objects, not text; .* such as 'messages\[1\]\.content'"):
        load_split(QuestionsConfig(path=path, query_field="messages"))


def test_a_role_that_is_no_text_is_refused_like_any_other(tmp_path: Path) -> None:
    path = written(tmp_path, {"query": [{"role": ["user"], "content": "Which is {}?"}]})
    with pytest.raises(InputError, match=r"such as 'query\[0\]\.content'"):
        load_split(QuestionsConfig(path=path))
