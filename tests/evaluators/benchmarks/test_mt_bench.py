import json
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from configs.records import read_rows
from configs.row import Row
from evaluators.benchmarks.alpaca_eval import read_baselines
from evaluators.benchmarks.mt_bench import question_from_row, read_references
from evaluators.question import Question
from tests.shared_data import shared


def row(category: str = "math", **more: Any) -> Row:
    return Row({"question_id": 111, "category": category, "turns": ["one?", "two?"], **more}, "question.jsonl, line 3")


def test_both_turns_are_asked_and_the_benchmarks_references_belong_to_them() -> None:
    question = question_from_row(row(reference=["own", "own"]), {"111": ("the benchmark's", "other")})
    assert question == Question("111", ("one?", "two?"), "math", ("the benchmark's", "other"))


def test_the_rows_own_reference_serves_where_no_file_is_given() -> None:
    assert question_from_row(row(reference=["own", "own"])).reference() == "own"
    assert question_from_row(row()).reference() is None


def test_a_category_that_is_judged_without_a_reference_gets_none() -> None:
    assert question_from_row(row("stem", reference=["own", "own"]), {"111": ("the benchmark's",)}).reference() is None


def test_a_missing_reference_is_refused_where_the_judge_needs_one() -> None:
    with pytest.raises(InputError, match=r"line 3: questions\.reference_path has no answer to question 111"):
        question_from_row(row(), {})


@pytest.mark.parametrize("fields", [{"id": 1, "query": "Why?"}, {"question_id": 1}, {"question_id": 1, "turns": []}])
def test_a_row_in_another_format_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"line 3: not an MT-Bench question"):
        question_from_row(Row(fields, "question.jsonl, line 3"))


@pytest.mark.parametrize("choices", [None, [], ["text"], [{"turns": []}]])
def test_a_reference_file_in_another_format_is_refused(tmp_path: Path, choices: Any) -> None:
    (tmp_path / "gpt-4.jsonl").write_text(json.dumps({"question_id": 1, "choices": choices}))
    with pytest.raises(InputError, match=r"gpt-4\.jsonl, line 1: not a FastChat answer"):
        read_references(tmp_path / "gpt-4.jsonl")


def test_the_real_benchmark_has_80_questions_of_which_30_are_judged_by_reference() -> None:
    references = read_references(shared("mt_bench/reference_answer/gpt-4.jsonl"))
    questions = [question_from_row(row, references) for row in read_rows(shared("mt_bench/question.jsonl"))]
    judged = [question for question in questions if question.reference() is not None]
    assert (len(questions), len(judged)) == (80, 30)
    assert {question.category for question in judged} == {"math", "reasoning", "coding"}
    assert next(question for question in judged if question.id == "104").reference() == "David has only one brother."


def test_two_rows_with_other_answers_to_one_question_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "references.jsonl"
    path.write_text("".join(f'{{"question_id": 1, "choices": [{{"turns": ["{text}"]}}]}}\n' for text in "aab"))
    with pytest.raises(InputError, match="line 3: another row has different answers to question 1"):
        read_references(path)


def test_two_rows_with_other_baselines_for_one_instruction_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "baseline.jsonl"
    path.write_text("".join(f'{{"instruction": "Do it.", "output": "{text}"}}\n' for text in "aab"))
    with pytest.raises(InputError, match="line 3: another row has a different answer to the same instruction"):
        read_baselines(path)
