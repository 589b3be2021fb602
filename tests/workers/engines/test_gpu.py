"""What only a GPU can show; skipped without one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from tests.kits.engine_kit import EngineKit
from tests.tiny_model import random_llama
from tests.workers.engines.reference import engine_of, generated, in_order, llama
from workers.engines.shared_prefix import graph, kernels
from workers.prompt import Decoding, PromptBlock
from workers.text_model import Engine

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


def test_steps_are_recorded(caplog: pytest.LogCaptureFixture) -> None:
    engine = engine_of(on_gpu(llama()).to(torch.bfloat16))
    in_order(engine, BLOCK, Decoding(8))
    assert graph.recorder(torch.device("cuda")) is graph.StepGraph
    assert "cannot be recorded" not in caplog.text


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_fused_kernels_work(dtype: torch.dtype) -> None:
    chosen = kernels.choose(torch.device("cuda", 0), dtype, 128)
    assert kernels.by_arithmetic not in (chosen.dense, chosen.causal, chosen.biased)
