"""The running rows behind one prefix: each keeps the keys and values of its own tokens, the prefix's are there once."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from workers.engines.shared_prefix.attention import Fill, Prefix, Step, forward
from workers.engines.shared_prefix.graph import Record, RunStep
from workers.engines.shared_prefix.kernels import Kernels
from workers.engines.shared_prefix.plain import PAD
from workers.engines.shared_prefix.row_buffers import RowBuffers

FILL_TOKENS = 8192  # read in one pass, padding included


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
        self._recorded: RunStep | None = None

    def enter(self, tokens: list[list[int]]) -> None:
        self._compact()
        self._recorded = None
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
        if len(self._live) < len(self._sizes):
            live = torch.tensor(self._live, device=self._device)
            spread = torch.full((len(self._sizes),), PAD, device=self._device)
            logits = self._run(spread.index_copy(0, live, tokens))[live]
        else:
            logits = self._run(tokens)
        for row in self._live:
            self._sizes[row] += 1
        return logits

    def keep(self, rows: torch.Tensor) -> None:
        self._live = [self._live[row] for row in rows.tolist()]
        if self._record is None or len(self._live) <= 0.75 * len(self._sizes):
            self._compact()

    def logits(self, tokens: list[list[int]], first: int) -> torch.Tensor:
        """As `likelihood.WholeRows`; `first` lies behind the prefix."""
        own = [row[self._length :] for row in tokens]
        keep = torch.arange(first - self._length, max(len(row) for row in own), device=self._device)
        return self._forward(own, Fill(self._prefix, self._kernels, None), keep)

    def _forward(self, rows: list[list[int]], way: Fill, keep: int | torch.Tensor = 1) -> torch.Tensor:
        """Padded on the right, where no token looks."""
        longest = max(len(row) for row in rows)
        ids = torch.tensor([row + [PAD] * (longest - len(row)) for row in rows], device=self._device)
        positions = torch.arange(self._length, self._length + longest, device=self._device)[None]
        return forward(self._model, ids, positions, way, keep)

    def _run(self, tokens: torch.Tensor) -> torch.Tensor:
        lengths = torch.tensor(self._sizes, device=self._device)
        if self._recorded is None:
            step = partial(_step, self._model, self._kernels, self._prefix, self._length, self._buffers)
            self._recorded = step if self._record is None else self._record(step, tokens, lengths)
        return self._recorded(tokens, lengths)

    def _compact(self) -> None:
        if len(self._live) == len(self._sizes):
            return
        self._recorded = None
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
    """Consecutive rows whose padded tokens stay within `FILL_TOKENS`; at least one row each."""
    parts, begin, longest = [], 0, 0
    for row, length in enumerate(lengths):
        longest = max(longest, length)
        if row > begin and longest * (row - begin + 1) > FILL_TOKENS:
            parts.append((begin, row))
            begin, longest = row, length
    return [*parts, (begin, len(lengths))]
