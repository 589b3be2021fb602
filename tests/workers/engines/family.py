"""A family of models as a tiny config, and the tiny model that is made from it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
import transformers as hf
from transformers import AutoModelForCausalLM

Way = Literal["shared", "whole", "alone", "refused"]

WINDOW = 32  # tokens; fewer than the test's prompts have


@dataclass(frozen=True, slots=True)
class Family:
    """Attributes:
    name: as people know it.
    config: makes the tiny config, of a kind of transformers.
    way: how it is run.
    """

    name: str
    config: Callable[[], Any]
    way: Way


def config_of(kind: str, **knobs: Any) -> Callable[[], Any]:
    """A config of transformers by its class name, with sizes that most of them know."""
    sizes = {
        "vocab_size": 320,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
    }
    return lambda: getattr(hf, kind)(**{**sizes, **knobs})


def gpt_config(kind: str, **knobs: Any) -> Callable[[], Any]:
    """Likewise, with the names that GPT-2 gave."""
    sizes = {"vocab_size": 320, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256}
    return lambda: getattr(hf, kind)(**{**sizes, "bos_token_id": 0, "eos_token_id": 1, **knobs})


def rope(kind: str, **knobs: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 1e4, "factor": 4.0, **knobs}}


def tiny(family: Family) -> Any:
    """The family's model in fp32 with random weights, large enough for outputs that do not repeat themselves."""
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM
    model = model.from_config(family.config(), dtype=torch.float32).train(False)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            _shake(name.lower(), weight, generator)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = 1, 2
    return model


def _shake(name: str, weight: torch.Tensor, generator: torch.Generator) -> None:
    noise = torch.randn(weight.shape, generator=generator)
    if weight.dim() < 2 or "conv" in name or "a_log" in name:
        weight.add_(0.1 * noise)  # norms stay near their own values, states of recurrent layers stable
    elif "embed" in name or "wte" in name or "wpe" in name:
        weight.copy_(0.7 * noise)
    else:
        weight.copy_(1.6 * noise / math.sqrt(weight.shape[-1]))
