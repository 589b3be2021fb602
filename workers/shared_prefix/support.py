"""The way of generating that is exact for a model: asked of its config, then tried. What is not known to be exact is
not done: docs/families.md lists what has been measured, `tests/workers/engines/test_families.py` measures it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import torch

from configs.errors import InputError
from workers.shared_prefix import rope
from workers.shared_prefix.attention import UnsupportedAttention, stated_window
from workers.shared_prefix.capacity import head_width
from workers.shared_prefix.fused_step import StepForward, as_loaded, fused
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.plain_rows import PlainRows
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.rows import Rows
from workers.shared_prefix.shared_rows import SharedRows

log = logging.getLogger(__name__)

PADDED = frozenset(
    [
        "bamba",
        "bloom",
        "codegen",
        "cohere2",
        "deepseek_v2",
        "deepseek_v3",
        "diffllama",
        "exaone4",
        "falcon",
        "falcon_h1",
        "gemma2",
        "gemma3_text",
        "gemma3n_text",
        "gemma4_text",
        "gpt_neo",
        "gpt_neox_japanese",
        "gpt_oss",
        "gptj",
        "granitemoehybrid",
        "jamba",
        "lfm2",
        "llama",
        "llama4_text",
        "mistral",
        "modernbert-decoder",
        "mpt",
        "nemotron_h",
        "olmo3",
        "phi3",
        "phimoe",
        "qwen2",
        "qwen3_5_text",
        "qwen3_next",
        "starcoder2",
        "vaultgemma",
        "xglm",
        "zamba2",
    ]
)
"""Model types whose rows say behind padding on their left what they say alone. Others may place blocks by the padded
position, or make masks of their own; they are answered one at a time."""

PROBE = 40  # tokens that the ways are tried with

KNOWN_LAYERS = frozenset({"full_attention", "sliding_attention"})
"""Layers that the shared path can lead."""


@dataclass(frozen=True, slots=True)
class ExactMethods:
    """How a model can be run exactly.

    Attributes:
        against_sharing: why prefixes cannot be shared; None where they can.
        one_at_a_time: rows must not be padded, so that each is answered alone.
        plain: its attention has no windows within the context, no sinks and no caps, so that pages can be used.
    """

    against_sharing: str | None
    one_at_a_time: bool
    plain: bool


def exact_methods(model: Any, kernels: Kernels, context: int) -> ExactMethods:
    """Decide once a model is loaded.

    Args:
        context: tokens a prompt and its completion have at most.

    Raises:
        InputError: the model cannot be run exactly at all.
    """
    config = model.config.get_text_config(decoder=True)
    limit = rope.longrope_limit(config)
    if limit is not None and context > limit:
        raise InputError(
            f"the model's longrope rotary embedding changes beyond {limit:,} tokens: set model.context_tokens to "
            f"{limit} or less"
        )
    kept = getattr(config, "keep_window_size", None)
    if kept is not None and context > kept:  # Doge: measured, up to 6 % of the logits' length
        raise InputError(
            f"the model drops keys beyond {kept:,} tokens, and different ones token by token than in one pass: set "
            f"model.context_tokens to {kept} or less"
        )
    reason = _stated(config, context) or _tried(model, kernels)
    if reason is None:
        return ExactMethods(None, one_at_a_time=False, plain=_is_plain(model, config, context))
    _refuse_uncached(model)
    return ExactMethods(reason, one_at_a_time=config.model_type not in PADDED, plain=False)


def _stated(config: Any, context: int) -> str | None:
    kinds = set(getattr(config, "layer_types", None) or ())
    if other := sorted(kinds - KNOWN_LAYERS):
        return f"it has layers of {', '.join(other)}"
    return rope.reason_against(config, context)


def _is_plain(model: Any, config: Any, context: int) -> bool:
    """Whether its attention is softmax over scaled products and nothing else."""
    windows = [stated_window(config, layer) for layer in range(config.num_hidden_layers)]
    capped = getattr(config, "attn_logit_softcapping", None) is not None
    sinks = any(name.endswith("sinks") for name, _ in model.named_parameters())
    return not capped and not sinks and all(window is None or window >= context for window in windows)


def first_head_width(model: Any) -> int:
    """D, of queries and keys; the first layer's where layers differ."""
    config = model.config.get_text_config(decoder=True)
    layers = getattr(config, "per_layer_config", None)
    return head_width(config if layers is None else layers[0])


@torch.inference_mode()
def _tried(model: Any, kernels: Kernels) -> str | None:
    """Both paths continue the same two rows by a step; their logits must be close."""
    try:
        plain = _stepped(model, PlainRows(model))
        ours = _stepped(model, SharedRows(model, kernels, PrefixTree(model, kernels, budget=0, chunk=16)))
    except UnsupportedAttention as reason:
        return str(reason)
    except Exception as error:  # a foreign model may meet our attention in any way; the plain path remains
        log.info("sharing prefixes was tried", exc_info=error)
        return "its layers do not take the attention that prefixes are shared by"
    distance = _distance(ours, plain)
    return None if distance < _close(plain) else f"its logits on the two paths differ by {distance:.1e}"


@torch.inference_mode()
def _refuse_uncached(model: Any) -> None:
    """Check that the plain path, token by token, says what one pass over the whole text says."""
    ids, name = _ids(model, 23), type(model).__name__
    advice = "choose another model, or run it behind a server (model.engine=served)"
    try:
        rows = PlainRows(model)
        rows.enter([ids[:20]])
        stepped = [rows.step(torch.tensor([token], device=model.device)) for token in ids[20:]][-1]
        whole = rows.logits([ids], len(ids) - 1)[:, -1]
    except Exception as error:  # as above
        log.info("generating token by token was tried", exc_info=error)
        raise InputError(f"{name} has a cache that cannot be continued token by token here: {advice}") from error
    if (distance := _distance(stepped, whole)) >= _close(whole):  # NaN is told when an answer is asked for
        raise InputError(
            f"{name} computes different logits token by token than in one pass (by {distance:.1e}): {advice}"
        )


def step_forward(model: Any, kernels: Kernels) -> StepForward:
    """The step of a model whose attention is plain, in few operators where that computes what transformers does."""
    try:
        return _in_few_operators(model, kernels) or as_loaded(model)
    except Exception as error:  # what calls itself Llama may be built otherwise in any way; its own step remains
        log.warning("the model's step in few operators fails (%r): transformers' own is taken, slower", error)
        return as_loaded(model)


def _in_few_operators(model: Any, kernels: Kernels) -> StepForward | None:
    if (few := fused(model)) is None:
        return None
    usual, ours = (
        _stepped(model, SharedRows(model, kernels, PrefixTree(model, kernels, budget=0), step_forward=forward))
        for forward in (None, few)
    )
    if (distance := _distance(ours, usual)) < _close(usual):
        return few
    log.warning("the model's step in few operators differs by %.1e: transformers' own is taken, slower", distance)
    return None


def _ids(model: Any, count: int) -> list[int]:
    size = model.config.get_text_config(decoder=True).vocab_size
    return [(7919 * i + 13) % size for i in range(count)]


def _distance(left: torch.Tensor, right: torch.Tensor) -> float:
    return float((left - right).norm() / right.norm().clamp_min(1e-9))


def _close(logits: torch.Tensor) -> float:
    """Half precision differs in its last digit, layer by layer; a wrong mask or position differs by about 1."""
    return 1e-3 if logits.dtype == torch.float32 else 0.1


@torch.inference_mode()
def _stepped(model: Any, rows: Rows) -> torch.Tensor:
    """The logits of two rows behind a prefix, after a step."""
    ids = _ids(model, PROBE)
    prefix, tokens = ids[:24], [ids[:24] + ids[24:31], ids[:24] + ids[30:33]]
    rows.stand_behind(prefix)
    rows.enter([row[:-1] for row in tokens])
    return rows.step(torch.tensor([row[-1] for row in tokens], device=model.device))
