"""Blocks behind different prefixes run in one batch, and no completion changes."""

from __future__ import annotations

import dataclasses
from queue import SimpleQueue
from threading import Event
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kits.engine_kit import all_of
from tests.workers.engines.reference import engine_of, generated, llama
from tests.workers.engines.test_exactness import blocks, decodings
from tests.workers.engines.test_shared_prefix import QUESTIONS, RULES, Replay
from workers.engine_thread import EngineThread
from workers.engines.transformers_engine import TransformersEngine
from workers.failures import GenerationFailed
from workers.messages import Answered, Begun, Ended, Message
from workers.prompt import Completion, Decoding, PromptBlock
from workers.shared_prefix import kernels
from workers.shared_prefix.arithmetic import Part
from workers.shared_prefix.decode import DecodeLoop
from workers.shared_prefix.spans import spans

DECODING = Decoding(24, repetition_penalty=1.1, stop=("e", "\n"))
BLOCKS = [PromptBlock(RULES * length + "Be brief.", QUESTIONS[length:]) for length in range(4)]


def expected(block: PromptBlock, decoding: Decoding = DECODING) -> list[Completion]:
    return [generated(llama(), block.prompt(index), decoding) for index in range(len(block.suffixes))]


def started(engine: TransformersEngine, asked: list[PromptBlock] = BLOCKS, decoding: Decoding = DECODING) -> DecodeLoop:
    """Nothing has been decoded yet."""
    batch = engine.batch(decoding)
    for job, block in enumerate(asked):
        batch.add(job, block)
    return batch


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(blocks, st.integers(0, 9)), min_size=2, max_size=4),
    decodings,
    st.integers(1, 12),
    st.sampled_from([0, 20_000, 2**30]),
    st.booleans(),
)
def test_greedy_completions_equal_generate_at_batch_size_1_whenever_their_block_joins(
    asked: list[tuple[PromptBlock, int]], decoding: Decoding, batch_size: int, prefix_bytes: int, recorded: bool
) -> None:
    record = Replay if recorded else None
    batch = engine_of(llama(), batch_size, prefix_bytes=prefix_bytes, record=record).batch(decoding)
    heard: list[Answered | Ended] = []
    for job, (block, steps) in enumerate(asked):
        batch.add(job, block)
        for _ in range(steps):
            heard += batch.step()
    found = all_of(batch, [block for block, _ in asked], heard)
    assert found == [expected(block, decoding) for block, _ in asked]


def test_blocks_together_take_no_more_steps_than_the_longest_completion_of_one_that_joins_a_step_later() -> None:
    batch, steps, ended = started(engine_of(llama(), batch_size=64)), 0, 0
    while ended < len(BLOCKS):
        ended += sum(isinstance(message, Ended) for message in batch.step())
        steps += 1
    assert steps == max(
        joined + completion.new_tokens for joined, block in enumerate(BLOCKS) for completion in expected(block)
    )


def test_a_step_reads_one_prefix_at_most() -> None:
    batch = started(engine_of(llama(), batch_size=64))
    for joined in range(1, len(BLOCKS) + 1):
        batch.step()
        assert {request.job for request in (*batch._active, *batch._waiting)} == set(range(len(BLOCKS)))
        assert {request.job for request in batch._waiting} == set(range(joined, len(BLOCKS)))


def test_rows_of_equal_prefixes_share_one() -> None:
    engine = engine_of(llama())
    batch = started(engine, [BLOCKS[1], BLOCKS[2], PromptBlock(BLOCKS[1].prefix, QUESTIONS[:3])])
    for _ in range(3):
        batch.step()
    assert batch._rows is not None
    assert [len(span.rows) for span in batch._rows._rows_behind()] == [8, 4]  # type: ignore[attr-defined]


def test_what_prefixes_begin_with_in_common_is_read_once_a_step_for_all_rows() -> None:
    read = list[int]()
    usual = kernels.choose(torch.device("cpu"), torch.float32, 8)

    def counted(
        q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None, causal: bool, scale: float
    ) -> Part:
        read.append(k.shape[2])
        return usual.dense(q, k, v, bias, causal, scale)

    engine = engine_of(
        llama(), batch_size=64, kernels=dataclasses.replace(usual, dense=counted, worth_sharing=64 * 128)
    )
    common = RULES * 9  # of these, two candidates have more in common
    beginnings = [common + more for more in ("One way.\n", RULES * 7 + "a", RULES * 7 + "Or b.\n", RULES * 3)]
    asked = [PromptBlock(beginning, QUESTIONS[:2]) for beginning in beginnings]
    batch, heard = started(engine, asked), list[Message]()
    while batch._waiting:
        heard += batch.step()
    in_use = {tuple(request.prefix) for request in batch._active}
    assert len(in_use) == len(asked)
    read.clear()
    heard += batch.step()
    level_by_level = sum(span.end - span.begin for span in spans(list(in_use), 65))  # 128 bytes a token
    assert sum(read) == 2 * level_by_level  # layers
    assert level_by_level < 0.6 * sum(map(len, in_use))
    assert all_of(batch, asked, heard) == [expected(block) for block in asked]


def test_a_block_that_joins_has_its_steps_recorded_anew() -> None:
    batch = engine_of(llama(), record=Replay).batch(Decoding(24))
    batch.add(0, BLOCKS[0])
    batch.step()
    Replay.made = 0
    batch.step()
    assert Replay.made == 0
    batch.add(1, BLOCKS[1])
    batch.step()
    batch.step()
    assert Replay.made == 1


def test_prefixes_for_which_the_memory_has_no_place_together_wait_for_each_other() -> None:
    engine = engine_of(llama(), prefix_bytes=0)
    batch = started(engine)
    batch.step()
    assert {request.job for request in batch._active} == {0}
    assert all_of(batch, BLOCKS) == [expected(block) for block in BLOCKS]


def test_there_is_no_room_behind_a_block_whose_prefix_has_no_place_yet() -> None:
    batch = started(engine_of(llama(), prefix_bytes=0), BLOCKS[:1])
    batch.step()
    assert batch.has_room()
    batch.add(1, BLOCKS[1])
    batch.step()
    assert not batch.has_room()


def test_no_block_begins_that_the_memory_has_no_row_for(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, submitted, heard = engine_of(llama(), batch_size=512), Event(), SimpleQueue[Message]()
    monkeypatch.setattr(engine._room, "rows", lambda own, spare: 2)

    def load() -> TransformersEngine:
        submitted.wait()
        return engine

    thread = EngineThread(load, heard.put)
    for job, question in enumerate(QUESTIONS):
        thread.submit(job, PromptBlock(RULES, (question,)), DECODING)
    submitted.set()
    begun, ended, most = 0, 0, 0
    while ended < len(QUESTIONS):
        message = heard.get(timeout=60)
        begun += isinstance(message, Begun)
        ended += isinstance(message, Ended)
        most = max(most, begun - ended)
    thread.stop()
    assert most == 2


def test_a_prefix_that_does_not_fit_beside_others_waits_and_hurts_none(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(llama())
    tree = engine._tree
    assert tree is not None
    acquire = tree.acquire

    def full_beside_others(tokens: list[int], in_use: list[list[int]]) -> Any:
        if in_use:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return acquire(tokens, in_use)

    monkeypatch.setattr(tree, "acquire", full_beside_others)
    assert all_of(started(engine), BLOCKS) == [expected(block) for block in BLOCKS]
    assert engine._capacity.rows == 32


def test_a_prefix_that_does_not_fit_alone_fails_its_own_block(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_of(llama())
    tree = engine._tree
    assert tree is not None
    acquire, [longest] = tree.acquire, engine.count_tokens(PromptBlock(BLOCKS[3].prefix, ("",)))

    def full_for_the_longest(tokens: list[int], in_use: list[list[int]]) -> Any:
        if len(tokens) >= longest:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return acquire(tokens, in_use)

    monkeypatch.setattr(tree, "acquire", full_for_the_longest)
    batch, heard = started(engine), list[Answered | Ended]()
    while sum(isinstance(message, Ended) for message in heard) < len(BLOCKS):
        heard += batch.step()
    failed = {message.job: message.error for message in heard if isinstance(message, Ended) and message.error}
    assert list(failed) == [3]
    assert isinstance(failed[3], GenerationFailed)
    assert sum(isinstance(message, Answered) for message in heard) == sum(len(block.suffixes) for block in BLOCKS[:3])


def test_running_out_of_memory_halves_the_batch_and_changes_no_completion() -> None:
    model = llama()
    engine = engine_of(model, batch_size=18)
    calls, forward = 0, model.forward

    def full_at_times(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        if calls in (10, 15):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(*args, **kwargs)

    model.forward = full_at_times
    try:
        assert all_of(started(engine), BLOCKS) == [expected(block) for block in BLOCKS]
    finally:
        model.forward = forward
    assert engine._capacity.rows < 9


def test_rows_of_a_dropped_block_make_place_at_once() -> None:
    batch = started(engine_of(llama(), batch_size=9), BLOCKS[:2])
    batch.step()
    batch.drop(0)
    batch.step()
    assert {request.job for request in batch._active} == {1}
    assert len(batch._active) == len(BLOCKS[1].suffixes)
