"""Which models can share a prefix: asked of the config, then tried."""

from __future__ import annotations

from typing import Any

import torch

from workers.shared_prefix.decode import Rows
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.plain_rows import PlainRows
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.shared_rows import SharedRows

LENGTH_DEPENDENT_ROPE = ("dynamic", "longrope")  # a token's rotation depends on how long the sequence is by now


def reason_against(model: Any, kernels: Kernels, context: int) -> str | None:
    """Why this model must take the plain path, or None when both paths agree.

    Args:
        context: tokens a prompt and its completion have at most.
    """
    return _stated(model.config.get_text_config(decoder=True), context) or _tried(model, kernels)


def head_width(model: Any) -> int:
    """D, of queries and keys."""
    config = model.config.get_text_config(decoder=True)
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def _stated(config: Any, context: int) -> str | None:
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or ())
    windowed = "sliding_attention" in kinds if kinds else getattr(config, "use_sliding_window", True)
    if window is not None and windowed and window < context:
        return f"it has sliding windows of {window:,} tokens"
    if other := sorted(kinds - {"full_attention", "sliding_attention"}):
        return f"it has layers of {', '.join(other)}"
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    if rope.get("rope_type") in LENGTH_DEPENDENT_ROPE:
        return f"its {rope['rope_type']} rotary embedding depends on the length of the text"
    return None


@torch.inference_mode()
def _tried(model: Any, kernels: Kernels) -> str | None:
    """Both paths continue the same two rows by a step; their logits must be close."""
    size = model.config.get_text_config(decoder=True).vocab_size
    ids = [(7919 * i + 13) % size for i in range(40)]
    prefix, rows = ids[:24], [ids[:24] + ids[24:31], ids[:24] + ids[30:33]]
    last = torch.tensor([row[-1] for row in rows], device=model.device)
    plain = _logits(PlainRows(model), prefix, rows, last)
    try:
        tree = PrefixTree(model, kernels, budget=0, chunk=16)
        ours = _logits(SharedRows(model, kernels, tree), prefix, rows, last)
    except Exception as error:  # a foreign model may meet our attention in any way; the plain path remains
        return str(error) or type(error).__name__
    distance = float((ours - plain).norm() / plain.norm())
    # half precision differs in its last digit, layer by layer; a wrong mask or position differs by about 1
    close = 1e-3 if plain.dtype == torch.float32 else 0.1
    return None if distance < close else f"its logits on the two paths differ by {distance:.1e}"


def _logits(rows: Rows, prefix: list[int], tokens: list[list[int]], last: torch.Tensor) -> torch.Tensor:
    rows.stand_behind(prefix)
    rows.enter([row[:-1] for row in tokens])
    return rows.step(last)
