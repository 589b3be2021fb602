"""What a model is trained on."""

import pytest

from tests import tiny_model
from workers.finetune.examples import IGNORED, TrainingExample, encode_examples

pytestmark = pytest.mark.heavy

TOKENIZER = tiny_model.tokenizer()


def test_only_the_answer_and_the_end_of_text_carry_a_loss() -> None:
    example = TrainingExample("a", "\n# Query:\n```\nWhy?\n```\n\n# Answer:\n```\n", "Because.\n```\n")
    (row,) = encode_examples([example], TOKENIZER, 100).rows
    learnt = [label for label in row["labels"] if label != IGNORED]
    assert TOKENIZER.decode(learnt) == "Because.\n```\n</s>"
    assert TOKENIZER.decode(row["input_ids"]) == f"<s>{example.prompt}{example.answer}</s>"


def test_a_text_that_spells_its_special_tokens_gets_no_second_ones() -> None:
    (row,) = encode_examples([TrainingExample("a", "<s>Why?", "Because.</s>", False)], TOKENIZER, 100).rows
    assert TOKENIZER.decode(row["input_ids"]) == "<s>Why?Because.</s>"
