"""A step in few operators computes what transformers computes, for each type of models that it takes."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from tests.workers.engines.families import FAMILIES
from tests.workers.engines.family import Family, config_of, tiny
from tests.workers.engines.reference import engine_of, generated, in_order, llama
from tests.workers.engines.test_families import BLOCK, DECODINGS
from tests.workers.engines.test_paged import in_pages
from tests.workers.engines.test_shared_prefix import Replay
from workers.shared_prefix import support
from workers.shared_prefix.fused_step import FUSED, _FusedStep, as_loaded, fused
from workers.shared_prefix.kernels import Kernels, choose
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.shared_rows import SharedRows

FAST = ("Llama 3", "Qwen2, Qwen2.5", "Qwen3")
KERNELS = choose(torch.device("cpu"), torch.float32, 8)
SHAPED_LIKE_LLAMA = [
    family
    for family in FAMILIES
    if family.config().model_type in FUSED and support._is_plain(nn.Module(), family.config(), 256)
]
each = pytest.mark.parametrize("family", SHAPED_LIKE_LLAMA, ids=lambda family: family.name)


def test_all_types_that_are_taken_are_among_the_families() -> None:
    assert {family.config().model_type for family in SHAPED_LIKE_LLAMA} == FUSED


@each
def test_its_logits_are_those_of_transformers(family: Family) -> None:
    model = tiny(family)
    usual = support._stepped(model, SharedRows(model, KERNELS, PrefixTree(model, KERNELS, budget=0)))
    few = fused(model)
    assert few is not None
    rows = SharedRows(model, KERNELS, PrefixTree(model, KERNELS, budget=0), step_forward=few)
    torch.testing.assert_close(support._stepped(model, rows), usual, rtol=1e-5, atol=1e-5)
    unmoved = SharedRows(model, KERNELS, PrefixTree(model, KERNELS, budget=0))
    assert torch.equal(support._stepped(model, unmoved), usual), "transformers' own step stays what it was"


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(family, id=family.name, marks=() if family.name in FAST else (pytest.mark.slow,))
        for family in SHAPED_LIKE_LLAMA
    ],
)
@pytest.mark.parametrize("kernels", [KERNELS, in_pages(16)], ids=["rows", "pages"])
def test_its_completions_are_those_of_generate(family: Family, kernels: Kernels) -> None:
    model = tiny(family)
    engine = engine_of(model, context=256, record=Replay, kernels=kernels)
    assert isinstance(engine._step_forward, _FusedStep)
    for decoding in DECODINGS:
        expected = [generated(model, BLOCK.prompt(index), decoding) for index in range(len(BLOCK.suffixes))]
        assert in_order(engine, BLOCK, decoding) == expected


def test_moving_weights_twice_moves_them_once() -> None:
    model = copy.deepcopy(llama())
    fused(model)
    addresses = [parameter.data_ptr() for parameter in model.parameters()]
    fused(model)
    assert [parameter.data_ptr() for parameter in model.parameters()] == addresses


class Adapted(nn.Linear):
    """A product with something added, as adapters and quantised weights are."""


def adapted() -> Any:
    model = copy.deepcopy(llama())
    mlp = model.model.layers[0].mlp
    mlp.up_proj = Adapted(mlp.up_proj.in_features, mlp.up_proj.out_features, bias=False)
    return model


def half_biased() -> Any:
    model = copy.deepcopy(llama())
    mlp = model.model.layers[0].mlp
    mlp.up_proj = nn.Linear(mlp.up_proj.in_features, mlp.up_proj.out_features, bias=True)
    return model


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(half_biased, id="half biased"),
        pytest.param(adapted, id="adapted"),
        pytest.param(lambda: tiny(Family("", config_of("LlamaConfig", attention_bias=True), "shared")), id="biased"),
        pytest.param(
            lambda: tiny(Family("", config_of("GraniteConfig", residual_multiplier=0.5), "shared")), id="other"
        ),
    ],
)
def test_models_that_are_built_otherwise_keep_the_step_of_transformers(model: Any) -> None:
    assert fused(model()) is None


def test_models_with_windows_keep_the_step_of_transformers() -> None:
    windowed = next(family for family in FAMILIES if family.name == "Mistral 7B v0.1")
    assert engine_of(tiny(windowed), context=256, record=Replay)._step_forward is None


def test_a_step_that_computes_something_else_is_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    """As of a model that is derived from Llama and calls itself so."""
    model = tiny(Family("", config_of("GraniteConfig", residual_multiplier=0.5), "shared"))
    model.config.model_type = "llama"
    assert fused(model) is not None
    assert support.step_forward(model, KERNELS).func is as_loaded(model).func  # type: ignore[attr-defined]
    assert "step in few operators differs" in caplog.text


class OfTexts(nn.Module):
    """An activation that takes [rows, tokens, width] alone."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        rows, tokens, width = hidden.shape
        return nn.functional.silu(hidden).view(rows, tokens, width)


def test_a_model_that_the_step_fails_with_keeps_that_of_transformers(caplog: pytest.LogCaptureFixture) -> None:
    model = copy.deepcopy(llama())
    model.model.layers[0].mlp.act_fn = OfTexts()
    engine = engine_of(model, record=Replay)
    assert isinstance(engine._step_forward, partial), "transformers' own"
    assert "step in few operators fails (ValueError('not enough values" in caplog.text
    assert in_order(engine, BLOCK, DECODINGS[0]) == in_order(engine_of(llama()), BLOCK, DECODINGS[0])


def test_on_a_cpu_the_step_is_that_of_transformers() -> None:
    assert engine_of(llama())._step_forward is None
