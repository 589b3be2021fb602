"""AlpacaEval's files of model outputs."""

import json
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.row import Row
from evaluators.benchmarks.alpaca_eval import question_from_row, read_baselines, with_baseline

ROW = {"instruction": "What do bees make?", "output": "Honey.", "dataset": "helpful_base"}


def test_an_instruction_is_a_question_whose_baseline_is_the_output() -> None:
    question = question_from_row(Row(ROW, "file, line 1"))
    assert (question.turns, question.baseline, question.category) == (("What do bees make?",), "Honey.", "helpful_base")


def test_an_instruction_has_one_id_whoever_answers_it() -> None:
    assert question_from_row(Row(ROW, "a")).id == question_from_row(Row(ROW | {"output": "Wax."}, "b")).id


def test_a_row_without_an_instruction_is_refused_with_its_place() -> None:
    with pytest.raises(InputError, match="file, line 1: not an AlpacaEval output"):
        question_from_row(Row(ROW | {"instruction": " "}, "file, line 1"))


def test_a_question_gets_the_answer_of_another_model_and_is_refused_without_one(tmp_path: Path) -> None:
    (tmp_path / "outputs.json").write_text(json.dumps([ROW | {"output": "Wax."}]), encoding="utf-8")
    baselines, question = read_baselines(tmp_path / "outputs.json"), question_from_row(Row(ROW, "a"))
    assert with_baseline(question, baselines).baseline == "Wax."
    with pytest.raises(InputError, match="no answer to question"):
        with_baseline(question, {})
