"""A continuation's log-likelihood is the sum over its tokens, behind its own prompt."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.tiny_model import random_mistral, tokenizer
from tests.workers.engines.reference import engine_of, llama
from workers.engines.shared_prefix import likelihood
from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import PromptBlock

BLOCK = PromptBlock("# Query:\nthe rules and ", ("a tree\n", "the\n", "why does it grow?\n"))
CONTINUATIONS = ("The tree!", "é🙂", "x")


def by_hand(model: Any, prompt: str, continuation: str) -> float:
    before, whole = (tokenizer()(text)["input_ids"] for text in (prompt, prompt + continuation))
    with torch.inference_mode():
        scores = model(torch.tensor([whole])).logits[0].log_softmax(-1)
    return sum(float(scores[place - 1, whole[place]]) for place in range(len(before), len(whole)))


@pytest.mark.parametrize("model", [llama(), random_mistral(window=8)], ids=["shared prefix", "plain"])
@pytest.mark.parametrize("room", [2**28, 1])
def test_it_is_what_a_whole_pass_gives(model: Any, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihood, "LOGITS_BYTES", room)
    found = engine_of(model).score(BLOCK, CONTINUATIONS)
    for index, continuation in enumerate(CONTINUATIONS):
        assert found[index].log_probability == pytest.approx(
            by_hand(model, BLOCK.prompt(index), continuation), abs=1e-3
        )
        assert found[index].tokens == len(tokenizer().encode(continuation, add_special_tokens=False))


def test_no_question_has_no_score() -> None:
    assert engine_of(llama()).score(PromptBlock("x", ()), ()) == []


def test_an_empty_continuation_is_refused() -> None:
    with pytest.raises(GenerationFailed, match="no tokens"):
        engine_of(llama()).score(BLOCK, ("a", "", "b"))


def test_a_continuation_that_does_not_fit_is_refused() -> None:
    with pytest.raises(PromptTooLong):
        engine_of(llama(), context=64).score(BLOCK, ("a" * 200, "b", "c"))
