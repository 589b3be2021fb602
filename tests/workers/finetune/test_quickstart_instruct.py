"""The quickstart's instruct model and what it learnt from."""

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from configs.quickstart.corpus import demonstration_text, question_text
from workers.finetune.quickstart_instruct import FOLDER, examples

pytestmark = pytest.mark.heavy

TOKENIZER = AutoTokenizer.from_pretrained(FOLDER / "instruct")


def _rows(name: str) -> list[dict[str, list[str]]]:
    return [json.loads(line) for line in (Path(FOLDER) / name).read_text(encoding="utf-8").splitlines()]


def test_no_question_that_is_asked_was_learnt() -> None:
    learnt = " ".join(example.prompt for example in examples())
    for row in _rows("two_turn_questions.jsonl"):
        assert not any(question_text(turn) in learnt for turn in row["turns"])


def test_its_template_spells_a_chat_as_the_base_model_reads_one() -> None:
    chat = [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Because."},
        {"role": "user", "content": "And?"},
    ]
    spelled = TOKENIZER.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert spelled == "<s>" + demonstration_text("Why?", "Because.") + question_text("And?")


def test_every_two_turn_question_begins_with_its_single_turn_one_and_has_a_reference_a_turn() -> None:
    single, double = _rows("questions.jsonl"), _rows("two_turn_questions.jsonl")
    assert {row["turns"][0]: row["reference"][0] for row in double} == {
        row["turns"][0]: row["reference"][0] for row in single
    }
    assert all(len(row["turns"]) == len(row["reference"]) == 2 for row in double)
