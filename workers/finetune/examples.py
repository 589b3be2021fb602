"""Tokens and labels of prompts and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

IGNORED = -100  # torch's label for a token without loss


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """One prompt with the answer to be learnt.

    Attributes:
        id: for reports.
        prompt: as the model is asked later.
        answer: with what closes it in the prompt's form.
        special_tokens: the tokenizer puts begin-of-text in front and end-of-text behind. False where the text spells
            its own (a chat template does).
    """

    id: str
    prompt: str
    answer: str
    special_tokens: bool = True


@dataclass(frozen=True, slots=True)
class EncodedExamples:
    """Training examples as tokens.

    Attributes:
        rows: `input_ids` and `labels` of each example that fits, equally long.
        too_long: ids of those that do not.
    """

    rows: tuple[dict[str, list[int]], ...]
    too_long: tuple[str, ...]


def encode_examples(examples: Sequence[TrainingExample], tokenizer: Any, max_tokens: int) -> EncodedExamples:
    """Tokens with a loss on the answer alone; an example of more than `max_tokens` is left out, never cut."""
    rows, too_long = [], []
    for example in examples:
        row = _encoded(example, tokenizer)
        if len(row["input_ids"]) > max_tokens:
            too_long.append(example.id)
        else:
            rows.append(row)
    return EncodedExamples(tuple(rows), tuple(too_long))


def _encoded(example: TrainingExample, tokenizer: Any) -> dict[str, list[int]]:
    """Prompt and answer are encoded apart, so the prompt has the very tokens that it will be asked with."""
    prompt = list(tokenizer(example.prompt, add_special_tokens=example.special_tokens)["input_ids"])
    if example.special_tokens and prompt and prompt[-1] == tokenizer.eos_token_id:
        prompt.pop()  # some tokenizers close every text
    answer = list(tokenizer(example.answer, add_special_tokens=False)["input_ids"])
    if example.special_tokens and tokenizer.eos_token_id is not None:
        answer.append(tokenizer.eos_token_id)
    return {"input_ids": prompt + answer, "labels": [IGNORED] * len(prompt) + answer}
