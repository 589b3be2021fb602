"""What only a GPU can show; skipped without one."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from transformers import LlamaConfig, LlamaForCausalLM

from tests.kits.engine_kit import EngineKit, all_of
from tests.tiny_model import random_classifier, random_llama, save, tokenizer
from tests.workers.engines.reference import engine_of, generated, in_order, likelihoods, llama
from workers.engines.reward_engine import TransformersRewardEngine
from workers.engines.transformers_engine import TransformersEngine
from workers.messages import Message
from workers.prompt import Decoding, PromptBlock
from workers.shared_prefix import graph, kernels, memory, support
from workers.shared_prefix.arithmetic import by_arithmetic
from workers.shared_prefix.fused_step import _FusedStep, as_loaded, fused
from workers.shared_prefix.memory_plan import most_rows
from workers.shared_prefix.paged_kernels import has_table_of_pages
from workers.shared_prefix.paged_rows import PagedRows, RecordedSteps
from workers.shared_prefix.pages import Pages
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.shared_rows import SharedRows
from workers.text_model import Engine, ModelCard

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

BLOCK = PromptBlock(
    "# Query:\nthe rules, long enough to fill a unit of tokens\n" * 3, ("a", "why?", "which tree?", "é")
)


def on_gpu(model: Any) -> Any:
    return copy.deepcopy(model).cuda()


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


def test_steps_are_recorded_in_few_operators(caplog: pytest.LogCaptureFixture) -> None:
    engine = engine_of(on_gpu(llama()).to(torch.bfloat16))
    in_order(engine, BLOCK, Decoding(8))
    assert graph.recorder(torch.device("cuda")) is not None
    assert "cannot be recorded" not in caplog.text
    assert "in few operators differs" not in caplog.text
    assert isinstance(engine._step_forward, _FusedStep)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-3), (torch.bfloat16, 0.1)])
def test_a_step_in_few_operators_computes_what_transformers_computes(dtype: torch.dtype, tolerance: float) -> None:
    model = on_gpu(llama()).to(dtype)
    few, usual = fused(model), kernels.choose(torch.device("cuda", 0), dtype, 8)
    assert few is not None
    ours, theirs = (
        support._stepped(model, SharedRows(model, usual, PrefixTree(model, usual, budget=0), step_forward=forward))
        for forward in (few, as_loaded(model))
    )
    assert support._distance(ours, theirs) < tolerance


@pytest.mark.parametrize("width", [64, 128])
def test_a_layer_of_a_step_starts_24_kernels_at_most(width: int) -> None:
    counts = [kernels_of_a_step(layers, width) for layers in (2, 3)]
    print(f"kernels of a layer, heads of {width}: {counts[1] - counts[0]}")
    assert counts[1] - counts[0] <= 24  # 20 operators, of which each of the four products may be split into two kernels


@torch.no_grad()
def kernels_of_a_step(layers: int, width: int) -> int:
    """Kernels that CUDA starts for a step of 96 rows behind a prefix, as its profiler says."""
    config = LlamaConfig(
        hidden_size=1024,
        intermediate_size=2048,
        num_hidden_layers=layers,
        num_attention_heads=8,
        num_key_value_heads=2,
        head_dim=width,
        vocab_size=1000,
    )
    model: Any = LlamaForCausalLM(config).train(False)
    model = model.to("cuda", torch.bfloat16)
    usual = kernels.choose(torch.device("cuda", 0), torch.bfloat16, width)
    needs_pages(width)
    assert usual.paged is not None
    forward, tree = fused(model), PrefixTree(model, usual, budget=2**30)
    rows = PagedRows(model, usual, tree, RecordedSteps(model, usual.paged, Pages(256, usual.page), None, forward))
    prefix, tokens = [*range(3, 900)], torch.full((96,), 7, device="cuda")
    rows.stand_behind(prefix)
    rows.enter([[*prefix, 5, 6]] * 96)
    for _ in range(3):
        rows.step(tokens)
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        rows.step(tokens)
        torch.cuda.synchronize()
    kinds = (event for event in seen.events() if event.device_type.name == "CUDA")
    return sum(not event.name.startswith(("Memcpy", "Memset")) for event in kinds)


def needs_pages(width: int) -> None:
    """Skip where PyTorch is too old for rows in pages; the engine then keeps them in buffers."""
    if not has_table_of_pages():
        pytest.skip(f"FlashAttention of PyTorch {torch.__version__} takes no table of pages: rows lie in buffers")
    assert kernels.choose(torch.device("cuda", 0), torch.bfloat16, width).paged is not None


def test_rows_in_pages_say_the_same_recorded_or_not() -> None:
    needs_pages(8)
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
    pytest.importorskip("pydantic")
    from configs.schema.model import ModelConfig  # noqa: PLC0415 - the other tests do without

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
    model = random_classifier()
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
    assert (in_pages is not None) is (dtype != torch.float32 and has_table_of_pages())
    chosen = kernels.choose(torch.device("cuda", 0), dtype, 128)
    assert by_arithmetic not in (chosen.dense, chosen.causal, chosen.biased)


class TestEngineOnGpu(EngineKit):
    @pytest.fixture
    def engine(self) -> Engine:
        return engine_of(on_gpu(random_llama(context=192)), context=192)
