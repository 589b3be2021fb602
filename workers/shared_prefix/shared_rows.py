"""The running rows behind one prefix: each keeps the keys and values of its own tokens, the prefix's are there once."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from workers.shared_prefix.attention import Fill, Prefix, Step, forward
from workers.shared_prefix.capacity import READ_TOKENS
from workers.shared_prefix.graph import Record, RunStep
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.plain import PAD
from workers.shared_prefix.row_buffers import RowBuffers


class SharedRows:
    """Implements `decode.Rows`.

    A recorded step is made for its rows and its room; so then finished rows stay in the buffers until a quarter of them
    is finished, and the room grows in large strides.

    Args:
        prefix: from a prefix tree; may be of no tokens.
        length: its tokens.
        record: makes a faster step of a step, `StepGraph` on a GPU.
    """

    joins = True

    def __init__(self, model: Any, kernels: Kernels, prefix: Prefix, length: int, record: Record | None = None) -> None:
        self._model = model
        self._kernels = kernels
        self._prefix = prefix
        self._length = length
        self._device = torch.device(model.device)
        self._record = record
        self._buffers = RowBuffers(stride=256 if record else 32)
        self._sizes: list[int] = []  # tokens of each row in the buffers
        self._live: list[int] = []  # rows of the buffers that still run, in the order of the batch
        self._lengths: torch.Tensor | None = None  # the sizes, on the device; None where they changed otherwise
        self._places = torch.empty(0, dtype=torch.long)  # the live rows, on the device
        self._recorded: RunStep | None = None

    def enter(self, tokens: list[list[int]]) -> None:
        self._compact()
        self._recorded = self._lengths = None
        first = len(self._sizes)
        own = [row[self._length :] for row in tokens]
        self._live += range(first, first + len(own))
        self._sizes += [len(row) for row in own]
        self._buffers.reserve(len(self._sizes), max(self._sizes) + 1)
        for begin, end in _parts([len(row) for row in own]):
            if any(own[begin:end]):
                put = partial(self._buffers.put_rows, first + begin)
                self._forward(own[begin:end], Fill(self._prefix, self._kernels, put))

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        if self._buffers.reserve(len(self._sizes), max(self._sizes) + 1):
            self._recorded = None
        if self._lengths is None:
            self._lengths = torch.tensor(self._sizes, device=self._device)
            self._places = torch.tensor(self._live, device=self._device)
        logits = self._run(tokens, self._lengths)
        for row in self._live:
            self._sizes[row] += 1
        return logits

    def keep(self, rows: torch.Tensor) -> None:
        self._live = [self._live[row] for row in rows.tolist()]
        self._lengths = None
        if self._record is None or len(self._live) <= 0.75 * len(self._sizes):
            self._compact()

    def logits(self, tokens: list[list[int]], first: int) -> torch.Tensor:
        """As `likelihood.WholeRows`; `first` lies behind the prefix."""
        own = [row[self._length :] for row in tokens]
        keep = max(len(row) for row in tokens) - first
        return self._forward(own, Fill(self._prefix, self._kernels, None), keep)

    def _forward(self, rows: list[list[int]], way: Fill, keep: int = 1) -> torch.Tensor:
        """Padded on the right, where no token looks."""
        longest = max(len(row) for row in rows)
        ids = torch.tensor([row + [PAD] * (longest - len(row)) for row in rows], device=self._device)
        positions = torch.arange(self._length, self._length + longest, device=self._device)[None]
        return forward(self._model, ids, positions, way, keep)

    def _run(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """All rows of the buffers take the step, finished ones too; their places stay where they are on the device, so
        that nothing has to be sent there for a token."""
        partly = len(self._live) < len(self._sizes)
        if partly:
            tokens = torch.full_like(lengths, PAD).index_copy(0, self._places, tokens)
        if self._recorded is None:
            step = partial(_step, self._model, self._kernels, self._prefix, self._length, self._buffers)
            self._recorded = step if self._record is None else self._record(step, tokens, lengths)
        logits = self._recorded(tokens, lengths)
        lengths.index_add_(0, self._places, torch.ones_like(self._places))
        return logits[self._places] if partly else logits

    def _compact(self) -> None:
        if len(self._live) == len(self._sizes):
            return
        self._recorded = self._lengths = None
        self._buffers.select(self._live)
        self._sizes = [self._sizes[row] for row in self._live]
        self._live = list(range(len(self._live)))


def _step(
    model: Any,
    kernels: Kernels,
    prefix: Prefix,
    length: int,
    buffers: RowBuffers,
    tokens: torch.Tensor,
    lengths: torch.Tensor,
) -> torch.Tensor:
    """No method, so that a recorded step does not keep its rows alive, which keep it."""
    way = Step(prefix, kernels, buffers, lengths)
    return forward(model, tokens[:, None], (lengths + length)[:, None], way)[:, -1]


def _parts(lengths: list[int]) -> list[tuple[int, int]]:
    """Consecutive rows whose padded tokens stay within `READ_TOKENS`; at least one row each."""
    parts, begin, longest = [], 0, 0
    for row, length in enumerate(lengths):
        longest = max(longest, length)
        if row > begin and longest * (row - begin + 1) > READ_TOKENS:
            parts.append((begin, row))
            begin, longest = row, length
    return [*parts, (begin, len(lengths))]
