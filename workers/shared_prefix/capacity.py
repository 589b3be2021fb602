"""How many rows fit the memory: bytes in, rows out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from workers.failures import GenerationFailed

log = logging.getLogger(__name__)

READ_TOKENS = 8192  # read in one pass at most, padding included
CHOICE_BYTES = (
    64  # a logit takes while a token is chosen: itself, fp32, fp64 probabilities, their sums, a sort's indices
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes that a model needs beside its weights.

    Attributes:
        kept: a token's keys and values, in all layers.
        read: a token's activations while a layer reads it.
        chosen: a row's logits while its next token is chosen.
    """

    kept: int
    read: int
    chosen: int

    def on(self, share: float) -> Sizes:
        """Sizes on a device that holds this share of the layers."""
        return Sizes(int(self.kept * share), self.read, self.chosen)


def sizes(config: Any, itemsize: int) -> Sizes:
    """The sizes of a model with this text config of transformers, in numbers of `itemsize` bytes."""
    layers = getattr(config, "per_layer_config", None)  # of models whose layers differ in width
    shapes = [_layer(config if layers is None else layers[index]) for index in range(config.num_hidden_layers)]
    return Sizes(
        kept=2 * sum(shape.key_heads * shape.width for shape in shapes) * itemsize,
        # the residual and its norm, and either the MLP's parts, or attention's: queries, keys and values for every
        # query head, turned by their positions, and outputs in fp32
        read=max(2 * config.hidden_size + max(3 * it.inner, 14 * it.heads * it.width) for it in shapes) * itemsize,
        chosen=CHOICE_BYTES * config.vocab_size,
    )


@dataclass(frozen=True, slots=True)
class _Layer:
    """Numbers of query heads and key heads, width of a head, and width inside the MLP."""

    heads: int
    key_heads: int
    width: int
    inner: int


def _layer(config: Any) -> _Layer:
    heads = getattr(config, "num_attention_heads", None) or 1  # none in a purely recurrent model
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    return _Layer(
        heads,
        getattr(config, "num_key_value_heads", None) or heads,
        head_width(config),
        max(inner) if isinstance(inner, (list, tuple)) else inner,  # Gemma 3n lists one a layer
    )


def head_width(config: Any) -> int:
    """D, of a layer's queries and keys."""
    if getattr(config, "kv_lora_rank", None) and (unturned := getattr(config, "qk_nope_head_dim", None)):
        return int(unturned + config.qk_rope_head_dim)  # latent attention, made explicit
    heads = getattr(config, "num_attention_heads", None) or 1
    return int(getattr(config, "head_dim", None) or config.hidden_size // heads)


def rows_behind_prefix(free: int, own: int, model: Sizes) -> int:
    """Rows that each have `own` tokens, new ones included, where the prefix is in memory already; at least 1.

    Args:
        free: bytes, without what is set aside for prefixes.
    """
    return _rows(free - READ_TOKENS * model.read, own * model.kept + model.chosen)


def rows_of_whole_prompts(free: int, prompt: int, new: int, model: Sizes) -> int:
    """Rows that each keep and read `prompt` tokens and gain `new` ones, in a cache that is copied as it grows, layer by
    layer; at least 1."""
    return _rows(free, 5 * (prompt + new) * model.kept // 4 + prompt * model.read + model.chosen)


def rows_read_once(free: int, tokens: int, model: Sizes) -> int:
    """Rows of `tokens` tokens that are read and not kept; at least 1."""
    return _rows(free, tokens * model.read)


def _rows(free: int, row: int) -> int:
    return max(1, free // row)


class Capacity:
    """How many rows may run together; halved when memory runs out, and kept for later blocks.

    Args:
        limit: rows, at least 1.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.rows = limit

    def fit(self, rows: int) -> None:
        """Note that so many fit together, those that run already included; at least 1. No more than the limit are
        taken.
        """
        self.rows = min(self._limit, rows)

    def halve(self, running: int) -> None:
        """Note that so many were too many. Raises GenerationFailed when it was one."""
        if running <= 1:
            raise GenerationFailed(
                "not even one text at a time fits the memory: use shorter prompts or a smaller model"
            )
        self.rows = self._limit = running // 2
        log.warning("out of memory: from now on at most %d texts at a time", self.rows)
