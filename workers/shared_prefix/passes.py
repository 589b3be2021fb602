"""Passes of a model over tokens: whole rows, one token a row, several a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from workers.shared_prefix.ahead import Ahead
from workers.shared_prefix.arithmetic import Part, merged
from workers.shared_prefix.attention import AllStored
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.row_buffers import RowBuffers
from workers.shared_prefix.segments import Prefix, length_of, seen, seen_from, within
from workers.shared_prefix.variants import Variant, kernels_for, with_sinks


@dataclass(frozen=True, eq=False, slots=True)
class Behind:
    """A span of prefixes. A row's spans together are its prefix.

    Attributes:
        rows: [n], those that stand behind it.
        begin: position of its first token.
        least: tokens of the shortest prefix that it is a span of.
        goes_on: another span behind it has rows of it.
    """

    layers: Prefix
    rows: torch.Tensor
    begin: int
    least: int
    goes_on: bool


@dataclass(frozen=True, eq=False, slots=True)
class RowPrefixes:
    """The prefixes that the rows of a pass share.

    Attributes:
        spans: of the prefixes of all rows.
        starts: [rows], tokens of each row's prefix.
        reach: position of the last token that any row will have, where that is known: windows as long as that are none.
    """

    spans: list[Behind]
    starts: torch.Tensor
    reach: int | None = None


class Fill:
    """Rows of tokens behind the prefix, each token seeing those before it in its row.

    Args:
        prefix: the segments before the rows, per layer.
        store: takes layer, keys and values [n, key heads, t, D]. Where there is one, nothing else is wanted of the
            pass, which ends by `AllStored` at the last layer.
    """

    def __init__(
        self, prefix: Prefix, kernels: Kernels, store: Callable[[int, torch.Tensor, torch.Tensor], None] | None
    ) -> None:
        self._prefix = prefix
        self._kernels = kernels
        self._store = store

    def attend(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, variant: Variant
    ) -> torch.Tensor:
        if self._store is not None:
            self._store(layer, k, v)
            if layer == len(self._prefix) - 1:
                raise AllStored
        kernels, groups = kernels_for(variant, self._kernels), q.shape[1] // k.shape[1]
        own, total = _own(q, _per_query_head(k, groups), _per_query_head(v, groups), kernels, scale, variant.window)
        if not self._prefix[layer] and variant.sinks is None:
            return own
        folded = q.reshape(q.shape[0], k.shape[1], -1, q.shape[3])
        own_part = own.reshape(folded.shape), total.reshape(folded.shape[:-1])
        whole = merged([own_part, *self._seen(layer, folded, groups, kernels, scale, variant.window)])
        return with_sinks(whole, variant.sinks).to(q.dtype).reshape(q.shape)

    def _seen(
        self, layer: int, folded: torch.Tensor, groups: int, kernels: Kernels, scale: float, window: int | None
    ) -> list[Part]:
        """What the prefix contributes. All see its end; where a window begins within it, each sees a token less."""
        segments, tokens = self._prefix[layer], folded.shape[2] // groups
        before = length_of(segments)
        if window is None or before + tokens <= window:
            return seen(segments, folded, kernels, scale)
        low, high = (min(before, max(0, before + at - window + 1)) for at in (0, tokens - 1))
        first = (torch.arange(tokens, device=folded.device) + (before - window + 1 - low)).repeat(groups)[None]
        return [
            *seen_from(list(within(segments, low, high)), folded, first, kernels, scale),
            *seen(list(within(segments, high, before)), folded, kernels, scale),
        ]


def _own(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, kernels: Kernels, scale: float, window: int | None) -> Part:
    """Each token sees itself and those before it in its row, no more than the window."""
    tokens = q.shape[2]
    if window is None or tokens <= window:
        return kernels.causal(q, k, v, None, True, scale)
    places = torch.arange(tokens, device=q.device)
    behind = places[:, None] - places
    hidden = (behind < 0) | (behind >= window)
    bias = torch.zeros_like(hidden, dtype=q.dtype).masked_fill_(hidden, float("-inf"))
    return kernels.biased(q, k, v, bias[None, None], False, scale)


class Step:
    """One token a row: it joins the row's own keys and values, and sees them and the row's prefix.

    Args:
        buffers: of the rows; row i's token goes to position `lengths[i]`.
        lengths: [rows], tokens that rows have there already, less than the buffers' room.
    """

    def __init__(self, prefixes: RowPrefixes, kernels: Kernels, buffers: RowBuffers, lengths: torch.Tensor) -> None:
        self._behind = prefixes.spans
        self._kernels = kernels
        self._buffers = buffers
        self._lengths = lengths
        self._starts = prefixes.starts
        self._at: torch.Tensor | None = None
        self._reach = prefixes.reach
        self._behind_on: dict[torch.device, list[Behind]] = {}
        self._places: dict[torch.device, tuple[torch.Tensor, torch.Tensor]] = {}
        self._biases: dict[tuple[torch.device, int | None], torch.Tensor] = {}  # the same in layers of one kind

    def attend(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, variant: Variant
    ) -> torch.Tensor:
        variant, kernels = self._within_reach(variant), kernels_for(variant, self._kernels)
        rows, lengths = self._place(q.device)
        self._buffers.put_tokens(layer, (rows, lengths), k, v)
        keys, values = self._buffers.layer(layer)
        bias = self._biases.get((q.device, variant.window))
        if bias is None:
            bias = _seen_by(lengths, keys.shape[2], variant.window, q.dtype)[:, None, None]  # [rows, 1, 1, room]
            self._biases[q.device, variant.window] = bias
        folded = q.reshape(q.shape[0], k.shape[1], -1, q.shape[3])
        own = kernels.biased(folded, keys, values, bias, False, scale)
        return self._with_prefixes(layer, folded, own, scale, variant, kernels).to(q.dtype).reshape(q.shape)

    def attend_packed(self, layer: int, packed: torch.Tensor, heads: int, scale: float) -> torch.Tensor:
        """See `PackedPass.attend_packed`."""
        q, k, v = packed[:, :heads, None], *(t[:, :, None] for t in packed[:, heads:].chunk(2, dim=1))
        return self.attend(layer, q, k, v, scale, Variant()).reshape(len(packed), -1)

    def _within_reach(self, variant: Variant) -> Variant:
        if variant.window is None or self._reach is None or self._reach >= variant.window:
            return variant
        return replace(variant, window=None)

    def _with_prefixes(
        self, layer: int, folded: torch.Tensor, own: Part, scale: float, variant: Variant, kernels: Kernels
    ) -> torch.Tensor:
        """Output of what the rows see of themselves and of their prefixes, each span read once for all behind it."""
        device = folded.device
        if device not in self._behind_on:
            self._behind_on[device] = [
                replace(span, rows=span.rows.to(device, non_blocking=True)) for span in self._behind
            ]
        output, total = own
        for span in self._behind_on[device]:
            if len(span.rows) == len(folded):
                parts = self._seen(span, layer, folded, scale, variant.window, kernels)
                output, total = merged([(output, total), *parts])
                continue
            parts = self._seen(span, layer, folded[span.rows], scale, variant.window, kernels)
            part = merged([(output[span.rows], total[span.rows]), *parts])
            output = output.to(part[0].dtype).index_copy_(0, span.rows, part[0])
            if span.goes_on or variant.sinks is not None:
                total.index_copy_(0, span.rows, part[1])
        return with_sinks((output, total), variant.sinks)

    def _seen(
        self, span: Behind, layer: int, folded: torch.Tensor, scale: float, window: int | None, kernels: Kernels
    ) -> list[Part]:
        """What a span contributes to its rows."""
        segments = span.layers[layer]
        if window is None:
            return seen(segments, folded, kernels, scale)
        low, length = max(0, span.least - window + 1 - span.begin), length_of(segments)
        positions = self._positions().to(folded.device)
        if len(span.rows) < len(positions):
            positions = positions[span.rows]
        first = (positions - (window - 1 + span.begin + low))[:, None]
        return seen_from(list(within(segments, low, length)), folded, first, kernels, scale)

    def _positions(self) -> torch.Tensor:
        """The position of each token in its text."""
        if self._at is None:
            self._at = self._lengths + self._starts
        return self._at

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
        prefixes: their spans, each with the indices of its rows' tokens.
        lengths: [B].
        ahead: the tokens.
    """

    def __init__(
        self, prefixes: RowPrefixes, kernels: Kernels, buffers: RowBuffers, lengths: torch.Tensor, ahead: Ahead
    ) -> None:
        super().__init__(prefixes, kernels, buffers, lengths)
        self._ahead = ahead

    def attend(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, variant: Variant
    ) -> torch.Tensor:
        variant, kernels = self._within_reach(variant), kernels_for(variant, self._kernels)
        device, longest = q.device, self._ahead.padded.shape[1]
        rows, offsets = self._ahead.rows.to(device), self._ahead.offsets.to(device)
        lengths = self._lengths.to(device)
        self._buffers.put_tokens(layer, (rows, lengths[rows] + offsets), k, v)
        keys, values = self._buffers.layer(layer)
        groups = q.shape[1] // k.shape[1]
        padded = q.new_zeros(len(lengths), q.shape[1], longest, q.shape[3])
        padded[rows, :, offsets] = q[:, :, 0]
        bias = self._biases.get((device, variant.window))
        if bias is None:
            last = lengths[:, None] + torch.arange(longest, device=device)
            bias = _seen_by(last, keys.shape[2], variant.window, q.dtype)[:, None].repeat(1, 1, groups, 1)
            self._biases[device, variant.window] = bias
        folded = padded.reshape(len(lengths), k.shape[1], groups * longest, q.shape[3])
        output, total = kernels.biased(folded, keys, values, bias, False, scale)
        by_token = output.reshape(*output.shape[:2], groups, longest, -1)[rows, :, :, offsets]
        own = by_token, total.reshape(*output.shape[:2], groups, longest)[rows, :, :, offsets]
        whole = self._with_prefixes(layer, q.reshape(by_token.shape), own, scale, variant, kernels)
        return whole.to(q.dtype).reshape(q.shape)

    def _positions(self) -> torch.Tensor:
        return super()._positions()[self._ahead.rows] + self._ahead.offsets


def _seen_by(last: torch.Tensor, room: int, window: int | None, dtype: torch.dtype) -> torch.Tensor:
    """Bias [..., room] that hides what lies behind the places `last` [...], and before the window that ends there."""
    places, last = torch.arange(room, device=last.device), last[..., None]
    hidden = places > last if window is None else (places > last) | (places <= last - window)
    return torch.zeros_like(hidden, dtype=dtype).masked_fill_(hidden, float("-inf"))


def _per_query_head(t: torch.Tensor, groups: int) -> torch.Tensor:
    return t if groups == 1 else t.repeat_interleave(groups, dim=1)
