"""Attention over prefixes that are kept once and rows that each have a few tokens of their own.

transformers' models call whatever is registered under `NAME` as their attention. It finds the pass under way and hands
it queries, keys and values; the pass stores the keys and values it is responsible for, and attends. No cache of
transformers takes part, and no mask: a pass knows which row sees what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import torch
from transformers import AttentionInterface

from workers.shared_prefix.ahead import Ahead
from workers.shared_prefix.arithmetic import Part, merged
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.row_buffers import RowBuffers

NAME = "demosearch_shared_prefix"

Segment = tuple[torch.Tensor, torch.Tensor]
"""Keys and values of consecutive prefix tokens in one layer, each [1, key heads, tokens, D]."""

Prefix = list[list[Segment]]
"""Per layer, the segments of the whole prefix in order."""

RowsBehind = list[tuple[Prefix, torch.Tensor]]
"""Spans of prefixes, each with the rows [n] that stand behind it. A row's spans together are its prefix."""


HARMLESS = frozenset(
    [
        "cache_position",
        "is_causal",
        "output_attentions",
        "output_hidden_states",
        "output_router_logits",
        "position_ids",
        "return_dict",
        "sliding_window",
        "use_cache",
    ]
)
"""Arguments that models hand on to their attention and that ask for nothing else. Any other is refused."""


class UnsupportedAttention(Exception):
    """The model asks for more than softmax over scaled products, so that the plain path must be used."""


class AttentionPass(Protocol):
    def attend(self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float) -> torch.Tensor:
        """Queries [n, heads, t, D], keys and values [n, key heads, t, D] of the pass's tokens. Output as queries."""
        ...


_under_way: ContextVar[AttentionPass] = ContextVar("pass under way")


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **variants: Any,
) -> tuple[torch.Tensor, None]:
    """The signature of transformers' attention functions. Output [n, t, heads, D]."""
    if unknown := sorted(name for name, value in variants.items() if value is not None and name not in HARMLESS):
        raise UnsupportedAttention(f"its attention takes {', '.join(unknown)}")
    if variants.get("is_causal") is False or variants.get("sliding_window") not in (None, _window(module)):
        raise UnsupportedAttention("its attention sees other tokens than its config states")
    if attention_mask is not None or dropout:
        raise UnsupportedAttention("its attention brings a mask or a dropout of its own")
    scale = query.shape[-1] ** -0.5 if scaling is None else float(scaling)
    layer: Any = module.layer_idx
    output = _under_way.get().attend(layer, query, key, value, scale)
    return output.transpose(1, 2), None


def _window(module: Any) -> int | None:
    """Sliding window that `support` has compared with the context."""
    return getattr(getattr(module, "config", None), "sliding_window", None)


AttentionInterface.register(NAME, _attention)


def forward(model: Any, ids: torch.Tensor, positions: torch.Tensor, way: AttentionPass, keep: int = 1) -> torch.Tensor:
    """Logits [n, keep, V] behind the last tokens of ids [n, t] at positions [n, t] (or [1, t])."""
    with _attending(model, way):
        output = model(input_ids=ids, position_ids=positions, use_cache=False, logits_to_keep=keep)
    logits: torch.Tensor = output.logits
    return logits


@contextmanager
def _attending(model: Any, way: AttentionPass) -> Iterator[None]:
    usual = model.config._attn_implementation
    token = _under_way.set(way)
    model.config._attn_implementation = NAME
    try:
        yield
    finally:
        model.config._attn_implementation = usual
        _under_way.reset(token)


class Fill:
    """Rows of tokens behind the prefix, each token seeing those before it in its row; their keys and values are stored.

    Args:
        prefix: the segments before the rows.
        store: takes layer, keys and values [n, key heads, t, D].
    """

    def __init__(
        self, prefix: Prefix, kernels: Kernels, store: Callable[[int, torch.Tensor, torch.Tensor], None] | None
    ) -> None:
        self._prefix = prefix
        self._kernels = kernels
        self._store = store

    def attend(self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float) -> torch.Tensor:
        if self._store is not None:
            self._store(layer, k, v)
        groups = q.shape[1] // k.shape[1]
        own, total = self._kernels.causal(q, _per_query_head(k, groups), _per_query_head(v, groups), None, True, scale)
        if not self._prefix[layer]:
            return own
        folded = q.reshape(q.shape[0], k.shape[1], -1, q.shape[3])
        own_part = own.reshape(folded.shape), total.reshape(folded.shape[:-1])
        output, _ = merged([own_part, *_seen_of(self._prefix[layer], folded, self._kernels, scale)])
        return output.to(q.dtype).reshape(q.shape)


class Step:
    """One token a row: it joins the row's own keys and values, and sees them and the row's prefix.

    Args:
        behind: spans of the prefixes, each with its rows.
        buffers: of the rows; row i's token goes to position `lengths[i]`.
        lengths: [rows], tokens that rows have there already, less than the buffers' room.
    """

    def __init__(self, behind: RowsBehind, kernels: Kernels, buffers: RowBuffers, lengths: torch.Tensor) -> None:
        self._behind = behind
        self._kernels = kernels
        self._buffers = buffers
        self._lengths = lengths
        self._behind_on: dict[torch.device, RowsBehind] = {}
        self._places: dict[torch.device, tuple[torch.Tensor, torch.Tensor]] = {}
        self._biases: dict[torch.device, torch.Tensor] = {}  # [rows, 1, 1, room], the same in every layer of a device

    def attend(self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float) -> torch.Tensor:
        rows, lengths = self._place(q.device)
        self._buffers.put_tokens(layer, (rows, lengths), k, v)
        keys, values = self._buffers.layer(layer)
        bias = self._biases.get(q.device)
        if bias is None:
            later = torch.arange(keys.shape[2], device=q.device) > lengths[:, None]
            bias = torch.zeros_like(later, dtype=q.dtype).masked_fill_(later, float("-inf"))[:, None, None]
            self._biases[q.device] = bias
        folded = q.reshape(q.shape[0], k.shape[1], -1, q.shape[3])
        own = self._kernels.biased(folded, keys, values, bias, False, scale)
        return self._with_prefixes(layer, folded, own, scale).to(q.dtype).reshape(q.shape)

    def _with_prefixes(self, layer: int, folded: torch.Tensor, own: Part, scale: float) -> torch.Tensor:
        """Output of what the rows see of themselves and of their prefixes, each span read once for all behind it."""
        device = folded.device
        if device not in self._behind_on:
            self._behind_on[device] = [(prefix, rows.to(device, non_blocking=True)) for prefix, rows in self._behind]
        output, total = own
        for prefix, rows in self._behind_on[device]:
            if len(rows) == len(folded):
                output, total = merged([(output, total), *_seen_of(prefix[layer], folded, self._kernels, scale)])
                continue
            part = output[rows], total[rows]
            part = merged([part, *_seen_of(prefix[layer], folded[rows], self._kernels, scale)])
            output = output.to(part[0].dtype).index_copy_(0, rows, part[0])
            total.index_copy_(0, rows, part[1])
        return output

    def _place(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows and their lengths on a layer's device; copied to each device once a step."""
        if device not in self._places:
            rows = torch.arange(len(self._lengths), device=device)
            self._places[device] = rows, self._lengths.to(device, non_blocking=True)
        return self._places[device]


class StepAhead(Step):
    """Several tokens a row, each seeing those before it; otherwise as `Step`. They are handed to the model as rows of
    one token each, so that only attention pads them to the longest draft.

    Args:
        behind: spans of the prefixes, each with the indices of its rows' tokens.
        ahead: the tokens.
        lengths: [B], tokens that rows have there already.
    """

    def __init__(
        self, behind: RowsBehind, kernels: Kernels, buffers: RowBuffers, lengths: torch.Tensor, ahead: Ahead
    ) -> None:
        super().__init__(behind, kernels, buffers, lengths)
        self._ahead = ahead

    def attend(self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float) -> torch.Tensor:
        device, longest = q.device, self._ahead.padded.shape[1]
        rows, offsets = self._ahead.rows.to(device), self._ahead.offsets.to(device)
        lengths = self._lengths.to(device)
        self._buffers.put_tokens(layer, (rows, lengths[rows] + offsets), k, v)
        keys, values = self._buffers.layer(layer)
        groups = q.shape[1] // k.shape[1]
        padded = q.new_zeros(len(lengths), q.shape[1], longest, q.shape[3])
        padded[rows, :, offsets] = q[:, :, 0]
        bias = self._biases.get(device)
        if bias is None:
            last = lengths[:, None] + torch.arange(longest, device=device)
            later = torch.arange(keys.shape[2], device=device) > last[:, :, None]
            bias = torch.zeros_like(later, dtype=q.dtype).masked_fill_(later, float("-inf"))
            bias = self._biases[device] = bias[:, None].repeat(1, 1, groups, 1)
        folded = padded.reshape(len(lengths), k.shape[1], groups * longest, q.shape[3])
        output, total = self._kernels.biased(folded, keys, values, bias, False, scale)
        by_token = output.reshape(*output.shape[:2], groups, longest, -1)[rows, :, :, offsets]
        own = by_token, total.reshape(*output.shape[:2], groups, longest)[rows, :, :, offsets]
        return self._with_prefixes(layer, q.reshape(by_token.shape), own, scale).to(q.dtype).reshape(q.shape)


def _per_query_head(t: torch.Tensor, groups: int) -> torch.Tensor:
    return t if groups == 1 else t.repeat_interleave(groups, dim=1)


def _seen_of(segments: list[Segment], folded: torch.Tensor, kernels: Kernels, scale: float) -> list[Part]:
    """What the prefix contributes to queries [n, key heads, r, D]: each segment is read once for all of them."""
    n, heads, r, width = folded.shape
    q = folded.transpose(0, 1).reshape(1, heads, n * r, width)
    parts = [kernels.dense(q, k, v, None, False, scale) for k, v in segments]
    return [
        (output.reshape(heads, n, r, width).transpose(0, 1), total.reshape(heads, n, r).transpose(0, 1))
        for output, total in parts
    ]
