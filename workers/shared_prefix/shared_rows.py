"""The running rows: each keeps its own tokens' keys and values; those of a prefix are there once for all behind it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import torch

from workers.shared_prefix.ahead import Ahead
from workers.shared_prefix.attention import forward
from workers.shared_prefix.fused_step import StepForward, as_loaded
from workers.shared_prefix.graph import Record, RunStep
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.passes import Behind, RowPrefixes, Step, StepAhead
from workers.shared_prefix.plain_rows import PAD
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.prefixed_rows import PrefixedRows, Shared, parts_read
from workers.shared_prefix.row_buffers import RowBuffers
from workers.shared_prefix.segments import cut
from workers.shared_prefix.spans import spans
from workers.shared_prefix.transfer import to_device


class SharedRows(PrefixedRows):
    """`rows.Rows` that read one shared prefix together.

    A recorded step is made for its rows, their prefixes and their room; so then finished rows stay in the buffers until
    a quarter of them is finished, and the room grows in large strides.

    Args:
        tree: where the prefixes are.
        record: makes a faster step of a step, `StepGraph` on a GPU.
        step_forward: the model's step of one token; transformers' own when absent.
    """

    def __init__(
        self,
        model: Any,
        kernels: Kernels,
        tree: PrefixTree,
        record: Record | None = None,
        step_forward: StepForward | None = None,
    ) -> None:
        super().__init__(model, kernels, tree)
        self._step_forward = step_forward or as_loaded(model)
        self._record = record
        self.is_recorded = record is not None
        self._buffers = RowBuffers(stride=256 if record else 32)
        self._sizes: list[int] = []  # tokens of each row in the buffers
        self._live: list[int] = []  # rows of the buffers that still run, in the order of the batch
        self._lengths: torch.Tensor | None = None  # the sizes, on the device; None where they changed otherwise
        self._places = torch.empty(0, dtype=torch.long)  # the live rows, on the device
        self._recorded: RunStep | None = None

    @property
    def held(self) -> int:
        return self._buffers.bytes

    def enter(self, tokens: list[list[int]]) -> None:
        self._compact()
        self._recorded = self._lengths = None
        first = len(self._sizes)
        own = [row[len(self._prefix.tokens) :] for row in tokens]
        self._live += range(first, first + len(own))
        self._sizes += [len(row) for row in own]
        self._prefixes += [self._prefix] * len(own)
        self._buffers.reserve(len(self._sizes), max(self._sizes) + 1)
        for begin, end in parts_read([len(row) for row in own]):
            if any(own[begin:end]):
                self._store(own[begin:end], partial(self._buffers.put_rows, first + begin))

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        if self._buffers.reserve(len(self._sizes), max(self._sizes) + 1):
            self._recorded = None
        if self._lengths is None:
            self._lengths = to_device(self._sizes, self._device)
            self._places = to_device(self._live, self._device)
        logits = self._run(tokens, self._lengths)
        for row in self._live:
            self._sizes[row] += 1
        return logits

    @property
    def takes_drafts(self) -> bool:
        """Whether rows take drafts: not where steps are recorded, which have one token a row."""
        return self._record is None

    def step_ahead(self, ahead: Ahead) -> torch.Tensor:
        """See `RowsAhead.step_ahead`; every row in the buffers runs, since none is kept beyond its end here."""
        self._buffers.reserve(len(self._sizes), max(self._sizes) + ahead.padded.shape[1])
        lengths = torch.tensor(self._sizes, device=self._device)
        starts = torch.tensor([len(prefix.tokens) for prefix in self._prefixes], device=self._device)
        behind = [replace(span, rows=torch.isin(ahead.rows, span.rows).nonzero()[:, 0]) for span in self._rows_behind()]
        prefixes = RowPrefixes(behind, starts, self._reach(ahead.padded.shape[1]))
        attention = StepAhead(prefixes, self._kernels, self._buffers, lengths, ahead)
        positions = (lengths + starts)[ahead.rows] + ahead.offsets
        self._recorded = self._lengths = None
        return forward(self._model, ahead.tokens[:, None], positions[:, None], attention)[:, -1]

    def gain(self, tokens: list[int]) -> None:
        """See `RowsAhead.gain`: what lies behind a row's size is overwritten."""
        self._sizes = [size + more for size, more in zip(self._sizes, tokens, strict=True)]

    def alone(self, tokens: list[int]) -> torch.Tensor:
        """See `Rows.alone`."""
        rows = SharedRows(self._model, self._kernels, PrefixTree(self._model, self._kernels, budget=0))
        rows.stand_behind(tokens[:-1])
        rows.enter([tokens[:-1]])
        return rows.step(torch.tensor(tokens[-1:], device=self._device))

    def keep(self, rows: list[int]) -> None:
        self._live = [self._live[row] for row in rows]
        self._lengths = None
        if self._record is None or len(self._live) <= 0.75 * len(self._sizes):
            self._compact()

    def _run(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """All rows of the buffers take the step, finished ones too; their places stay where they are on the device, so
        that nothing has to be sent there for a token."""
        partly = len(self._live) < len(self._sizes)
        if partly:
            tokens = torch.full_like(lengths, PAD).index_copy(0, self._places, tokens)
        if self._recorded is None:
            starts = torch.tensor([len(prefix.tokens) for prefix in self._prefixes], device=self._device)
            # a recorded step outlives what is known of it now: its rows reach a little further with every token
            reach = None if self._record is not None else self._reach(self._buffers.room - max(self._sizes))
            prefixes = RowPrefixes(self._rows_behind(), starts, reach)
            step = partial(_step, self._step_forward, self._kernels, prefixes, self._buffers)
            self._recorded = step if self._record is None else self._record(step, tokens, lengths)
        logits = self._recorded(tokens, lengths)
        lengths.index_add_(0, self._places, torch.ones_like(self._places))
        return logits[self._places] if partly else logits

    def _reach(self, more: int) -> int:
        """Position of the last of so many further tokens of all rows."""
        return max(len(prefix.tokens) + size for prefix, size in zip(self._prefixes, self._sizes, strict=True)) + more

    def _rows_behind(self) -> list[Behind]:
        """What several prefixes begin with in common is there once, for the rows of them all."""
        rows: dict[Shared, list[int]] = {}
        for row, prefix in enumerate(self._prefixes):
            rows.setdefault(prefix, []).append(row)
        in_use = list(rows)
        behind, cut_into = [], spans([prefix.tokens for prefix in in_use], self._worth_sharing(in_use))
        for span in cut_into:
            members = [in_use[member] for member in span.members]
            those = [row for member in members for row in rows[member]]
            layers = members[0].layers if len(in_use) == 1 else cut(members[0].layers, span.begin, span.end)
            least = min(len(member.tokens) for member in members)
            places = torch.tensor(sorted(those), device=self._device)
            goes_on = any(further.begin == span.end and further.members[0] in span.members for further in cut_into)
            behind.append(Behind(layers, places, span.begin, least, goes_on))
        return behind

    def _worth_sharing(self, in_use: list[Shared]) -> int:
        """Tokens in common that are worth a call of their own."""
        segments = [segment for prefix in in_use for segment in prefix.layers[0]] if in_use[0].layers else []
        a_token = [(k.nbytes + v.nbytes) // k.shape[2] for k, v in segments[:1]]
        return self._kernels.worth_sharing // a_token[0] + 1 if a_token else 1

    def _compact(self) -> None:
        if len(self._live) == len(self._sizes):
            return
        self._recorded = self._lengths = None
        self._is_full = False
        self._sizes = [self._sizes[row] for row in self._live]
        self._prefixes = [self._prefixes[row] for row in self._live]
        self._buffers.select(self._live, max(self._sizes, default=0) + 1)
        self._live = list(range(len(self._live)))


def _step(
    forward: StepForward,
    kernels: Kernels,
    prefixes: RowPrefixes,
    buffers: RowBuffers,
    tokens: torch.Tensor,
    lengths: torch.Tensor,
) -> torch.Tensor:
    """No method, so that a recorded step does not keep its rows alive, which keep it."""
    return forward(tokens, lengths + prefixes.starts, Step(prefixes, kernels, buffers, lengths))
