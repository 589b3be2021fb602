"""Rows over pages say what they say alone, and a recorded step serves them while they come, grow and go.

Pages are for GPUs; here arithmetic reads the same tables.
"""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.engine_kit import EngineKit, all_of
from tests.tiny_model import random_llama
from tests.workers.engines.reference import engine_of, generated, llama
from tests.workers.engines.test_exactness import blocks, decodings
from tests.workers.engines.test_shared_prefix import QUESTIONS, RULES, Replay
from workers.engines.transformers_engine import TransformersEngine
from workers.messages import Answered, Ended, Message
from workers.prompt import Completion, Decoding, PromptBlock
from workers.shared_prefix.kernels import Kernels, choose
from workers.shared_prefix.paged_kernels import paged_by_arithmetic
from workers.text_model import Engine

DECODING = Decoding(24, repetition_penalty=1.1, stop=("e", "\n"))


def in_pages(page: int) -> Kernels:
    return dataclasses.replace(choose(torch.device("cpu"), torch.float32, 8), paged=paged_by_arithmetic, page=page)


def paged(page: int = 16, batch_size: int = 64, prefix_bytes: int = 2**30) -> TransformersEngine:
    return engine_of(llama(), batch_size, prefix_bytes=prefix_bytes, record=Replay, kernels=in_pages(page))


def expected(block: PromptBlock, decoding: Decoding = DECODING) -> list[Completion]:
    return [generated(llama(), block.prompt(index), decoding) for index in range(len(block.suffixes))]


class TestEngineInPages(EngineKit):
    @pytest.fixture
    def engine(self) -> Engine:
        return engine_of(random_llama(context=192), context=192, record=Replay, kernels=in_pages(16))


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(blocks, st.integers(0, 9)), min_size=1, max_size=4),
    decodings,
    st.integers(1, 12),
    st.sampled_from([0, 20_000, 2**30]),
    st.sampled_from([4, 16, 256]),
)
def test_greedy_completions_equal_generate_at_batch_size_1(
    asked: list[tuple[PromptBlock, int]], decoding: Decoding, batch_size: int, prefix_bytes: int, page: int
) -> None:
    batch = paged(page, batch_size, prefix_bytes).batch(decoding)
    heard: list[Answered | Ended] = []
    for job, (block, steps) in enumerate(asked):
        batch.add(job, block)
        for _ in range(steps):
            heard += batch.step()
    found = all_of(batch, [block for block, _ in asked], heard)
    assert found == [expected(block, decoding) for block, _ in asked]


def test_rows_that_come_grow_and_go_are_served_by_steps_recorded_before() -> None:
    engine, decoding = paged(page=4), Decoding(24)
    asked = [PromptBlock(RULES + "Be brief.", QUESTIONS), PromptBlock(RULES + "Be kind.", QUESTIONS[2:5])]

    def answered() -> list[list[Completion]]:
        batch, heard = engine.batch(decoding), list[Message]()
        for job, block in enumerate(asked):
            batch.add(job, block)
            for _ in range(3):
                heard += batch.step()
        return all_of(batch, asked, heard)

    assert answered() == [expected(block, decoding) for block in asked]
    Replay.made = 0
    asked = [PromptBlock(RULES + "Be swift.", QUESTIONS), PromptBlock(RULES + "Be calm.", QUESTIONS[2:5])]
    assert answered() == [expected(block, decoding) for block in asked]
    assert Replay.made == 0


def test_a_step_is_recorded_for_sizes_not_for_rows() -> None:
    engine = paged(page=4)
    block = PromptBlock(RULES, tuple(f"{number}?" for number in range(40)))
    Replay.made = 0
    batch = engine.batch(Decoding(40, stop=("e", "a")))
    batch.add(0, block)
    sizes, heard = list[int](), list[Message]()
    while not any(isinstance(message, Ended) for message in heard):
        heard += batch.step()
        sizes.append(len(batch._active))
    changes = sum(before != after for before, after in pairwise(sizes))
    assert changes > 12
    assert Replay.made <= 12


def test_pages_are_given_back_when_their_rows_are_gone() -> None:
    engine = paged()
    block = PromptBlock(RULES, QUESTIONS)
    batch = engine.batch(DECODING)
    batch.add(0, block)
    assert all_of(batch, [block]) == [expected(block)]
    dropped = engine.batch(DECODING)
    dropped.add(0, block)
    dropped.step()
    assert engine._steps is not None
    pages = engine._steps.pages
    assert pages.free < pages.count - 1
    del dropped
    assert pages.free == pages.count - 1


def test_where_pages_end_fewer_rows_run_and_no_completion_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = paged(page=16)
    monkeypatch.setattr(engine, "_pages", lambda tree: 12)
    asked = [PromptBlock(RULES, QUESTIONS), PromptBlock("Be brief.", QUESTIONS)]
    batch = engine.batch(DECODING)
    for job, block in enumerate(asked):
        batch.add(job, block)
    assert all_of(batch, asked) == [expected(block) for block in asked]
