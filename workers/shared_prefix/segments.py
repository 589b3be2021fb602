"""Keys and values of prefixes, and what they contribute to queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from workers.shared_prefix.arithmetic import Part
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.variants import hidden_before

Segment = tuple[torch.Tensor, torch.Tensor]
"""Keys and values of consecutive prefix tokens in one layer, each [1, key heads, tokens, D]."""

Prefix = list[list[Segment]]
"""Segments of the whole prefix in order, per layer."""

MOST_COPIED = 2**24  # bytes of a prefix in use that is copied into one piece


def length_of(segments: Sequence[Segment]) -> int:
    """Tokens of the segments together."""
    return sum(k.shape[2] for k, _ in segments)


def cut(layers: Prefix, begin: int, end: int) -> Prefix:
    """Segments of the tokens from `begin` up to `end`, per layer, as views."""
    return [list(within(segments, begin, end)) for segments in layers]


def within(segments: Sequence[Segment], begin: int, end: int) -> Iterator[Segment]:
    """The segments of the tokens from `begin` up to `end`, as views."""
    for k, v in segments:
        length = k.shape[2]
        first, last = max(0, begin), min(length, end)
        if first < last:
            yield k[:, :, first:last], v[:, :, first:last]
        begin, end = begin - length, end - length


def contiguous(layers: Prefix) -> Prefix:
    """One segment a layer where the copy is small: calls for many short segments cost more than their products do."""
    size = sum(k.nbytes + v.nbytes for segments in layers for k, v in segments)
    if size > MOST_COPIED or not layers or len(layers[0]) < 2:
        return layers
    return [[(torch.cat([k for k, _ in parts], dim=2), torch.cat([v for _, v in parts], dim=2))] for parts in layers]


def seen(segments: Sequence[Segment], folded: torch.Tensor, kernels: Kernels, scale: float) -> list[Part]:
    """What the segments contribute to queries [n, key heads, r, D]: each is read once for all of them."""
    q = _one_row(folded)
    return [_by_row(kernels.dense(q, k, v, None, False, scale), folded) for k, v in segments]


def seen_from(
    segments: Sequence[Segment], folded: torch.Tensor, first: torch.Tensor, kernels: Kernels, scale: float
) -> list[Part]:
    """See `seen`; here the queries of a row see different tokens.

    Args:
        first: [n, r] or what broadcasts to it, the first token of the segments that each query sees; all where it is
            negative, none where it lies behind them.
    """
    n, _, r, _ = folded.shape
    q, parts = _one_row(folded), []
    for k, v in segments:
        keys = k.shape[2]
        bias = hidden_before(first, keys, folded.dtype).expand(n, r, keys).reshape(1, 1, n * r, keys)
        output, total = _by_row(kernels.biased(q, k, v, bias, False, scale), folded)
        parts.append((output, total.masked_fill((first >= keys)[:, None], float("-inf"))))
        first = first - keys
    return parts


def _one_row(folded: torch.Tensor) -> torch.Tensor:
    n, heads, r, width = folded.shape
    return folded.transpose(0, 1).reshape(1, heads, n * r, width)


def _by_row(part: Part, folded: torch.Tensor) -> Part:
    output, total = part
    n, heads, r, width = folded.shape
    return output.reshape(heads, n, r, width).transpose(0, 1), total.reshape(heads, n, r).transpose(0, 1)
