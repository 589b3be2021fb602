"""Attention over prefixes that are kept once and rows that each have a few tokens of their own.

transformers' models call whatever is registered under `NAME` as their attention. It finds the pass under way and hands
it queries, keys and values; the pass stores the keys and values it is responsible for, and attends. No cache of
transformers takes part, and no mask: a pass knows which row sees what.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import torch
from transformers import AttentionInterface

from workers.shared_prefix.variants import Variant

NAME = "demosearch_shared_prefix"

HARMLESS = frozenset(
    [
        "cache_position",
        "is_causal",
        "output_attentions",
        "output_hidden_states",
        "output_router_logits",
        "position_ids",
        "return_dict",
        "use_cache",
    ]
)
"""Arguments that models hand on to their attention and that ask for nothing else. Any other is refused."""


class UnsupportedAttention(Exception):
    """The model asks for more than softmax over scaled products, so that the plain path must be used."""


class AllStored(Exception):
    """Every layer has had its keys and values stored, which is all that was wanted of the pass."""


class AttentionPass(Protocol):
    def attend(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, variant: Variant
    ) -> torch.Tensor:
        """Queries [n, heads, t, D], keys and values [n, key heads, t, D] of the pass's tokens. Output as queries."""
        ...


_under_way: ContextVar[AttentionPass] = ContextVar("pass under way")


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **variants: Any,
) -> tuple[torch.Tensor, None]:
    """The signature of transformers' attention functions. Output [n, t, heads, D]."""
    variant = Variant(variants.pop("sliding_window", None), variants.pop("s_aux", None), variants.pop("softcap", None))
    if unknown := sorted(name for name, value in variants.items() if value is not None and name not in HARMLESS):
        raise UnsupportedAttention(f"its attention takes {', '.join(unknown)}")
    if variants.get("is_causal") is False or variant.window != _window(module):
        raise UnsupportedAttention("its attention sees other tokens than its config states")
    if attention_mask is not None or dropout:
        raise UnsupportedAttention("its attention brings a mask or a dropout of its own")
    scale = query.shape[-1] ** -0.5 if scaling is None else float(scaling)
    width, missing = value.shape[-1], query.shape[-1] - value.shape[-1]
    if missing < 0:
        raise UnsupportedAttention("its values are wider than its keys")
    if missing:  # latent attention: kernels and stores take one width
        value = torch.nn.functional.pad(value, (0, missing))
    output = _under_way.get().attend(int(module.layer_idx), query, key, value, scale, variant)
    output = output[..., :width] if missing else output
    return output.transpose(1, 2), None


def stated_window(config: Any, layer: int) -> int | None:
    """Tokens that a layer sees, as the text config says it; None where it sees all before."""
    kinds = getattr(config, "layer_types", None)
    windowed = kinds[layer] == "sliding_attention" if kinds else getattr(config, "use_sliding_window", True)
    return getattr(config, "sliding_window", None) if windowed else None


_windows: WeakKeyDictionary[Any, int | None] = WeakKeyDictionary()  # configs answer slowly


def _window(module: Any) -> int | None:
    if module not in _windows:
        _windows[module] = stated_window(module.config, int(module.layer_idx))
    return _windows[module]


AttentionInterface.register(NAME, _attention)


def forward(
    model: Any, ids: torch.Tensor, positions: torch.Tensor, attention: AttentionPass, keep: int = 1
) -> torch.Tensor:
    """Logits [n, keep, V] behind the last tokens of ids [n, t] at positions [n, t] (or [1, t])."""
    with _attending(model, attention):
        output = model(input_ids=ids, position_ids=positions, use_cache=False, logits_to_keep=keep)
    logits: torch.Tensor = output.logits
    return logits


def store_keys(model: Any, ids: torch.Tensor, positions: torch.Tensor, attention: AttentionPass) -> None:
    """Have a pass store the keys and values of ids [n, t]; it ends by `AllStored` before the last layer attends."""
    with _attending(model, attention), suppress(AllStored):
        model(input_ids=ids, position_ids=positions, use_cache=False, logits_to_keep=1)


@contextmanager
def _attending(model: Any, attention: AttentionPass) -> Iterator[None]:
    usual = model.config._attn_implementation
    token = _under_way.set(attention)
    model.config._attn_implementation = NAME
    try:
        yield
    finally:
        model.config._attn_implementation = usual
        _under_way.reset(token)
