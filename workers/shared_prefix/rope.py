"""Rotary embeddings that depend on the length of the text: where each stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FIXED = frozenset({"default", "linear", "llama3", "yarn", "proportional"})
"""Kinds in which a token's rotation depends on its position alone."""


def reason_against(config: Any, context: int) -> str | None:
    """Why a token's keys may not stay what they are while texts of `context` tokens grow; None where they do.

    Args:
        config: text config of transformers.
    """
    for rope in _embeddings(config):
        kind = rope.get("rope_type", "default")
        if kind == "dynamic" and context <= config.max_position_embeddings:
            continue  # it grows beyond what the config states
        if kind not in (*FIXED, "longrope"):
            return f"its {kind} rotary embedding depends on the length of the text"
    return None


def longrope_limit(config: Any) -> int | None:
    """Tokens up to which a longrope model rotates by its short factors, None for other models.

    Beyond them transformers rotates every token of a batch by the long factors, and reads an answer that crosses them
    again: a prompt would be answered differently beside a longer neighbour.
    """
    own = getattr(config, "original_max_position_embeddings", None)
    limits = [
        int(rope.get("original_max_position_embeddings") or own or config.max_position_embeddings)
        for rope in _embeddings(config)
        if rope.get("rope_type") == "longrope"
    ]
    return min(limits, default=None)


def _embeddings(config: Any) -> Iterator[dict[str, Any]]:
    """Parameters of each rotary embedding: one for the model, or one for each type of its layers."""
    stated = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    nested = [value for value in stated.values() if isinstance(value, dict)]
    yield from nested or [stated]
