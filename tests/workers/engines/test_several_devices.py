"""A model whose layers lie on several devices answers as it does on one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from tests.kits.engine_kit import all_of
from tests.tiny_model import random_llama
from tests.workers.engines.reference import engine_of, in_order, likelihoods, llama
from tests.workers.engines.several_devices import FIRST, SECOND, Apart, SeveralDevices, place, spread
from workers.engines.transformers_engine import TransformersEngine
from workers.prompt import Decoding, PromptBlock
from workers.shared_prefix.graph import RunStep

BEHIND = ("model.layers.1", "model.norm", "lm_head")
BLOCK = PromptBlock("Answer what is asked.\n", ("a", "why?", "Which tree grows fastest?", "é", "the", "12"))
TEXTS = ("The tree!", "é🙂", "x", "no", "yes", "who?")


def spread_llama() -> Any:
    return spread(copy.deepcopy(llama()), BEHIND)


def shared(engine: TransformersEngine) -> bool:
    return engine._tree is not None


def test_tensors_that_lie_apart_cannot_meet() -> None:
    with SeveralDevices(), pytest.raises(Apart):
        torch.ones(2, device=FIRST) + torch.ones(2, device=SECOND)


def test_a_tensor_says_where_it_lies_and_hands_it_on() -> None:
    with SeveralDevices():
        there = torch.ones(2, 3).to(SECOND)
        assert there.device == SECOND
        assert (there[0] * 2).new_zeros(3).device == SECOND
        assert there.to(FIRST).device == FIRST
        assert there.device == SECOND


@pytest.mark.parametrize("batch_size", [2, 6])
def test_completions_are_those_of_one_device(batch_size: int) -> None:
    decoding = Decoding(20, temperature=0.7, repetition_penalty=1.2, stop=("th",), seed=4)
    expected = in_order(engine_of(llama(), batch_size), BLOCK, decoding)
    with SeveralDevices():
        engine = engine_of(spread_llama(), batch_size)
        assert shared(engine)
        assert in_order(engine, BLOCK, decoding) == expected
        assert in_order(engine, PromptBlock(BLOCK.prefix + "More.\n", BLOCK.suffixes), decoding)


def test_blocks_together_get_the_completions_of_one_device() -> None:
    decoding, blocks = Decoding(20, repetition_penalty=1.2), [BLOCK, PromptBlock("Be brief. " * 3, BLOCK.suffixes)]
    expected = [in_order(engine_of(llama()), block, decoding) for block in blocks]
    with SeveralDevices():
        batch = engine_of(spread_llama()).batch(decoding)
        for job, block in enumerate(blocks):
            batch.add(job, block)
        assert all_of(batch, blocks) == expected


def test_likelihoods_are_those_of_one_device() -> None:
    expected = likelihoods(engine_of(llama()), BLOCK, TEXTS)
    with SeveralDevices():
        found = likelihoods(engine_of(spread_llama()), BLOCK, TEXTS)
    assert [one.log_probability for one in found] == pytest.approx([one.log_probability for one in expected], abs=1e-3)


def test_keys_and_values_stay_where_their_layer_lies() -> None:
    with SeveralDevices():
        engine = engine_of(spread_llama())
        in_order(engine, BLOCK, Decoding(2))
        assert engine._tree is not None
        prefix = engine._tree.acquire([0, 40, 41])
        assert [{place(k) for k, _ in layer} for layer in prefix] == [{FIRST}, {SECOND}]


def test_steps_are_not_recorded_over_several_devices() -> None:
    made = []

    def record(step: RunStep, tokens: torch.Tensor, lengths: torch.Tensor) -> RunStep:
        made.append(len(tokens))
        return step

    in_order(engine_of(random_llama(), record=record), BLOCK, Decoding(2))
    assert made
    made.clear()
    with SeveralDevices():
        in_order(engine_of(spread_llama(), record=record), BLOCK, Decoding(2))
    assert not made
