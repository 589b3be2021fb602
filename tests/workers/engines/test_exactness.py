"""In fp32 every greedy completion is the one that `generate` gives for its prompt alone."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny_model import random_mistral
from tests.workers.engines.reference import engine_of, generated, in_order, llama
from workers.prompt import Decoding, PromptBlock

texts = st.text(st.sampled_from("abc the?\n`#éß🙂"), max_size=30)
blocks = st.builds(PromptBlock, texts, st.lists(texts, min_size=1, max_size=6).map(tuple))
stops = st.lists(st.sampled_from(["a", "e ", "th", "\n", "Qu", "é", "w", "1", "er"]), max_size=2).map(tuple)
decodings = st.builds(Decoding, st.integers(1, 14), repetition_penalty=st.sampled_from([1.0, 1.3, 0.8]), stop=stops)


@settings(max_examples=25, deadline=None)
@given(blocks, decodings, st.sampled_from([1, 2, 4]), st.integers(1, 6), st.integers(0, 1))
def test_greedy_completions_equal_generate_at_batch_size_1(
    block: PromptBlock, decoding: Decoding, groups: int, batch_size: int, seed: int
) -> None:
    model = llama(groups, seed)
    expected = [generated(model, block.prompt(index), decoding) for index in range(len(block.suffixes))]
    assert in_order(engine_of(model, batch_size), block, decoding) == expected


def test_a_sliding_window_is_obeyed() -> None:
    model = random_mistral(window=8)
    block = PromptBlock("a prefix that is longer than the window of eight. ", ("who?", "which tree?", "x"))
    decoding = Decoding(20, repetition_penalty=1.2)
    expected = [generated(model, block.prompt(index), decoding) for index in range(3)]
    assert in_order(engine_of(model), block, decoding) == expected


def test_running_out_of_memory_halves_the_batch_and_changes_no_completion() -> None:
    model = llama()
    engine = engine_of(model, batch_size=8)
    block = PromptBlock("the prefix ", tuple("which tree grows?"[:length] for length in range(1, 12)))
    decoding = Decoding(9, repetition_penalty=1.1)
    expected = in_order(engine_of(model, batch_size=8), block, decoding)
    calls = 0
    forward = model.forward

    def full_at_times(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls in (4, 5):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(*args, **kwargs)

    model.forward = full_at_times
    try:
        assert in_order(engine, block, decoding) == expected
    finally:
        model.forward = forward
    assert engine._capacity.rows == 2
