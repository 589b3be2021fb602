"""Windows, sinks and caps are obeyed at every length, in every company, with drafts and recorded steps."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.engine_kit import all_of
from tests.tiny_model import random_mistral
from tests.workers.engines.families import FAMILIES
from tests.workers.engines.family import tiny
from tests.workers.engines.reference import engine_of, generated, in_order
from tests.workers.engines.test_exactness import blocks, decodings
from tests.workers.engines.test_shared_prefix import QUESTIONS, RULES, Replay
from workers.messages import Answered, Ended
from workers.prompt import Decoding, PromptBlock


@cache
def mistral(window: int) -> Any:
    return random_mistral(window)


@cache
def family(name: str) -> Any:
    return tiny(next(family for family in FAMILIES if family.name == name))


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(blocks, st.integers(0, 9)), min_size=1, max_size=3),
    decodings,
    st.integers(1, 12),
    st.sampled_from([2, 7, 24, 90]),
    st.booleans(),
)
def test_completions_within_a_window_equal_generate_at_batch_size_1(
    asked: list[tuple[PromptBlock, int]], decoding: Decoding, batch_size: int, window: int, recorded: bool
) -> None:
    engine = engine_of(mistral(window), batch_size, record=Replay if recorded else None)
    assert engine._tree is not None
    batch = engine.batch(decoding)
    heard: list[Answered | Ended] = []
    for job, (block, steps) in enumerate(asked):
        batch.add(job, block)
        for _ in range(steps):
            heard += batch.step()
    expected = [
        [generated(mistral(window), block.prompt(index), decoding) for index in range(len(block.suffixes))]
        for block, _ in asked
    ]
    assert all_of(batch, [block for block, _ in asked], heard) == expected


@pytest.mark.parametrize("name", ["Gemma 2", "GPT-OSS"])
def test_drafts_behind_several_prefixes_change_no_completion(name: str) -> None:
    # At 1.1 two tokens of GPT-OSS lie 1e-6 apart, and which is taken depends on the processor; here 2e-3 at the least.
    model, decoding = family(name), Decoding(20, repetition_penalty=1.05)
    asked = [PromptBlock(RULES * length, QUESTIONS[:4]) for length in (1, 3, 5)]
    expected = [[generated(model, block.prompt(index), decoding) for index in range(4)] for block in asked]
    engine = engine_of(model, context=256)
    assert engine._tree is not None
    for _ in range(2):
        batch = engine.batch(decoding)
        for job, block in enumerate(asked):
            batch.add(job, block)
        assert all_of(batch, asked) == expected
    assert engine._earlier.taken > 0


def test_a_prefix_is_read_chunk_by_chunk_within_the_window() -> None:
    model, decoding = mistral(24), Decoding(6)
    engine = engine_of(model)
    assert engine._tree is not None
    engine._tree._chunk = 10
    block = PromptBlock(RULES * 9, QUESTIONS)
    assert in_order(engine, block, decoding) == [generated(model, block.prompt(index), decoding) for index in range(6)]
