"""What only a GPU can show; skipped without one."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from configs.schema.model import ModelConfig
from tests.kits.engine_kit import EngineKit, all_of
from tests.tiny_model import random_llama, save, tokenizer
from tests.workers.engines.reference import engine_of, generated, in_order, likelihoods, llama
from tests.workers.engines.test_reward_engine import causal
from workers.engines.reward_engine import TransformersRewardEngine
from workers.engines.transformers_engine import TransformersEngine
from workers.messages import Message
from workers.prompt import Decoding, PromptBlock
from workers.shared_prefix import graph, kernels, memory
from workers.shared_prefix.arithmetic import by_arithmetic
from workers.shared_prefix.memory_plan import most_rows
from workers.text_model import Engine, ModelCard

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

BLOCK = PromptBlock(
    "# Query:\nthe rules, long enough to fill a unit of tokens\n" * 3, ("a", "why?", "which tree?", "é")
)


def on_gpu(model: Any) -> Any:
    return copy.deepcopy(model).cuda()


class TestEngineOnGpu(EngineKit):
    @pytest.fixture
    def engine(self) -> Engine:
        return engine_of(on_gpu(random_llama(context=192)), context=192)


def test_greedy_completions_equal_those_of_the_cpu() -> None:
    decoding = Decoding(40, repetition_penalty=1.1, stop=("e",))
    expected = [generated(llama(), BLOCK.prompt(index), decoding) for index in range(len(BLOCK.suffixes))]
    assert in_order(engine_of(on_gpu(llama())), BLOCK, decoding) == expected


@pytest.mark.parametrize("record", [graph.StepGraph, lambda step, *_: step], ids=["recorded", "not recorded"])
def test_blocks_behind_different_prefixes_get_together_what_the_cpu_says(record: graph.Record) -> None:
    decoding = Decoding(40, repetition_penalty=1.1, stop=("e",))
    blocks = [BLOCK, PromptBlock(BLOCK.prefix * 2, BLOCK.suffixes), PromptBlock("Be brief.", BLOCK.suffixes)]
    batch, heard = engine_of(on_gpu(llama()), record=record).batch(decoding), list[Message]()
    for job, block in enumerate(blocks):
        batch.add(job, block)
        heard += batch.step()
    expected = [[generated(llama(), one.prompt(index), decoding) for index in range(4)] for one in blocks]
    assert all_of(batch, blocks, heard) == expected


def test_steps_are_recorded(caplog: pytest.LogCaptureFixture) -> None:
    engine = engine_of(on_gpu(llama()).to(torch.bfloat16))
    in_order(engine, BLOCK, Decoding(8))
    assert graph.recorder(torch.device("cuda")) is not None
    assert engine._steps is not None
    assert "cannot be recorded" not in caplog.text


def test_rows_in_pages_say_the_same_recorded_or_not() -> None:
    model, decoding = on_gpu(llama()).to(torch.bfloat16), Decoding(40)
    blocks = [BLOCK, PromptBlock(BLOCK.prefix * 2, BLOCK.suffixes), PromptBlock("Be brief.", BLOCK.suffixes)]
    said = []
    for record in (None, lambda step, *_: step):
        engine = engine_of(model, record=record)
        batch, heard = engine.batch(decoding), list[Message]()
        for job, block in enumerate(blocks):
            batch.add(job, block)
            heard += batch.step()
        said.append(all_of(batch, blocks, heard))
        assert engine._steps is not None
    assert said[0] == said[1]


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_a_model_spread_over_gpus_answers_as_on_one(tmp_path: Path) -> None:
    folder = save(random_llama(), tmp_path / "tiny")
    engine = TransformersEngine.load(ModelConfig(name=str(folder)))
    assert len(engine._room.devices) > 1
    assert engine._tree is not None
    decoding = Decoding(20, repetition_penalty=1.1)
    expected = [generated(random_llama(), BLOCK.prompt(index), decoding) for index in range(len(BLOCK.suffixes))]
    assert in_order(engine, BLOCK, decoding) == expected
    found = likelihoods(engine, BLOCK, ("a", "b", "The tree!", "x"))
    on_cpu = likelihoods(engine_of(random_llama()), BLOCK, ("a", "b", "The tree!", "x"))
    assert [one.log_probability for one in found] == pytest.approx([one.log_probability for one in on_cpu], abs=1e-3)


def test_the_batch_is_what_the_free_memory_holds() -> None:
    device = torch.device("cuda", 0)
    engine = engine_of(on_gpu(llama()), batch_size=None)
    assert in_order(engine, BLOCK, Decoding(8)) == in_order(engine_of(llama()), BLOCK, Decoding(8))
    assert 1 < engine._capacity.rows <= most_rows(device)
    before = memory.free_bytes(device)
    held = torch.empty(2**28, dtype=torch.uint8, device=device)
    assert 0 < before - memory.free_bytes(device) < 2 * held.numel()


def test_rewards_equal_those_of_the_cpu() -> None:
    model = causal()
    texts = PromptBlock("", ("why?", "a", "Which tree grows fastest?"))
    card = ModelCard("test", 128, "gpu")
    expected = [
        reward.score for _, reward in sorted(TransformersRewardEngine(model, tokenizer(), card).rate(texts), key=str)
    ]
    found = [
        reward.score
        for _, reward in sorted(TransformersRewardEngine(on_gpu(model), tokenizer(), card).rate(texts), key=str)
    ]
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_fused_kernels_work(dtype: torch.dtype) -> None:  # FlashAttention takes no fp32, so that has no pages
    in_pages = kernels.choose(torch.device("cuda", 0), dtype, 128).paged
    assert (in_pages is not None) is (dtype != torch.float32)
    chosen = kernels.choose(torch.device("cuda", 0), dtype, 128)
    assert by_arithmetic not in (chosen.dense, chosen.causal, chosen.biased)
