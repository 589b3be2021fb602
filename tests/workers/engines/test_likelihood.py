"""A continuation's log-likelihood is the sum over its tokens, behind its own prompt."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny_model import random_llama, random_mistral, random_unshared, tokenizer
from tests.workers.engines.reference import engine_of, likelihoods, llama
from workers.failures import GenerationFailed, PromptTooLong
from workers.prompt import Continuations, PromptBlock
from workers.shared_prefix import likelihood
from workers.shared_prefix.shared_rows import SharedRows

BLOCK = PromptBlock("# Query:\nthe rules and ", ("a tree\n", "the\n", "why does it grow?\n"))
CONTINUATIONS = ("The tree!", "é🙂", "x")


def by_hand(model: Any, prompt: str, continuation: str) -> float:
    before, whole = (tokenizer()(text)["input_ids"] for text in (prompt, prompt + continuation))
    with torch.inference_mode():
        scores = model(torch.tensor([whole])).logits[0].log_softmax(-1)
    return sum(float(scores[place - 1, whole[place]]) for place in range(len(before), len(whole)))


@pytest.mark.parametrize(
    "model", [llama(), random_mistral(window=8), random_unshared()], ids=["shared prefix", "window", "plain"]
)
@pytest.mark.parametrize("room", [2**28, 1])
def test_it_is_what_a_whole_pass_gives(model: Any, room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihood, "LOGITS_BYTES", room)
    found = likelihoods(engine_of(model), BLOCK, CONTINUATIONS)
    for index, continuation in enumerate(CONTINUATIONS):
        assert found[index].log_probability == pytest.approx(
            by_hand(model, BLOCK.prompt(index), continuation), abs=1e-3
        )
        assert found[index].tokens == len(tokenizer().encode(continuation, add_special_tokens=False))


# a line end in front, so that no token of the prompt can grow into the continuation
lines = st.text(st.sampled_from("abc the?`#éß🙂"), max_size=30)
asked = st.lists(st.tuples(lines, lines), min_size=1, max_size=7)


@settings(max_examples=20, deadline=None)
@given(lines, asked, st.integers(1, 4))
def test_neither_batch_nor_neighbours_change_it(rules: str, pairs: list[tuple[str, str]], batch_size: int) -> None:
    block = PromptBlock(rules, tuple(f"{question}\n" for question, _ in pairs))
    texts = tuple(f"#{answer}" for _, answer in pairs)
    found = likelihoods(engine_of(llama(), batch_size), block, texts)
    for index, text in enumerate(texts):
        expected = by_hand(llama(), block.prompt(index), text)
        assert found[index].log_probability == pytest.approx(expected, abs=1e-3)


def test_no_question_has_no_score() -> None:
    assert likelihoods(engine_of(llama()), PromptBlock("x", ()), ()) == []


def test_an_empty_continuation_is_refused() -> None:
    with pytest.raises(GenerationFailed, match="no tokens"):
        engine_of(llama()).score(BLOCK, Continuations(("a", "", "b")))


def test_a_continuation_that_does_not_fit_is_refused_by_the_call_itself() -> None:
    with pytest.raises(PromptTooLong):
        engine_of(llama(), context=64).score(BLOCK, Continuations(("a" * 200, "b", "c")))


def full_above(rows: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Memory for this many rows at a time; the list gets the sizes tried."""
    sizes: list[int] = []
    logits = SharedRows.logits

    def counted(self: SharedRows, tokens: list[list[int]], first: int) -> torch.Tensor:
        sizes.append(len(tokens))
        if len(tokens) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return logits(self, tokens, first)

    monkeypatch.setattr(SharedRows, "logits", counted)
    return sizes


def test_running_out_of_memory_halves_the_batch_and_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(llama())
    block, texts = PromptBlock(BLOCK.prefix, BLOCK.suffixes * 2), CONTINUATIONS * 2
    expected = [found.log_probability for found in likelihoods(engine, block, texts)]
    sizes = full_above(2, monkeypatch)
    for _ in range(2):
        found = likelihoods(engine, block, texts)
        assert [one.log_probability for one in found] == pytest.approx(expected, abs=1e-3)
    assert sizes == [6, 3, 1, 1, 1, 1, 1, 1, *[1] * 6]


def test_one_that_does_not_fit_alone_fails_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(llama())
    full_above(0, monkeypatch)
    with pytest.raises(GenerationFailed, match="not even one"):
        likelihoods(engine, BLOCK, CONTINUATIONS)


def test_a_prefix_that_does_not_fit_alone_fails_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(llama())

    def full(*prefixes: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(engine._tree, "acquire", full)
    with pytest.raises(GenerationFailed, match="a prefix of"):
        likelihoods(engine, BLOCK, CONTINUATIONS)


def test_likelihoods_come_out_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(llama(), batch_size=1)
    sizes = full_above(1, monkeypatch)
    next(engine.score(BLOCK, Continuations(CONTINUATIONS)))
    assert sizes == [1]


def test_a_model_that_computes_nan_fails_the_block() -> None:
    model = random_llama(seed=3)
    engine = engine_of(model)
    with torch.no_grad():
        model.lm_head.weight.fill_(float("nan"))
    with pytest.raises(GenerationFailed, match="NaN"):
        likelihoods(engine, BLOCK, CONTINUATIONS)
