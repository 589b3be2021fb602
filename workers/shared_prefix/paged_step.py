"""A decode step over pages, and the tables that tell it what to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from workers.shared_prefix.fused_step import StepForward
from workers.shared_prefix.paged_kernels import PagedKernel, PageReads, merge_pages
from workers.shared_prefix.pages import SCRATCH, Pages
from workers.shared_prefix.transfer import to_device
from workers.shared_prefix.variants import Variant


@dataclass(frozen=True, slots=True)
class Size:
    """What a step is recorded for; everything else changes in its tables.

    Attributes:
        rows: places for rows.
        pages: of a row's own tokens.
        levels: of the tree of prefixes in use: sequences and pages of each.
    """

    rows: int
    pages: int
    levels: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class RowRun:
    """Consecutive rows that see the same tokens: those of a span, or none.

    Attributes:
        rows: how many.
        tokens: of the span.
        pages: where they lie.
    """

    rows: int
    tokens: int
    pages: Sequence[int]


class Tables:
    """Numbers on the device that a step reads, at addresses that do not change.

    Args:
        size: of the step.
    """

    def __init__(self, size: Size, device: torch.device) -> None:
        self.size = size
        self.starts = torch.zeros(size.rows, dtype=torch.long, device=device)
        self.own = _table(size.rows, size.pages, device)
        self.levels = [
            (_numbers(sequences + 1, device), _numbers(sequences, device), _table(sequences, pages, device))
            for sequences, pages in size.levels
        ]
        self.rows = torch.arange(size.rows + 1, dtype=torch.int32, device=device)

    def grow(self, row: int, page: int, at: int) -> None:
        """A row's own page of this index lies at `at`."""
        self.own[row, page] = at

    def write(self, starts: Sequence[int], own: Sequence[Sequence[int]], levels: Sequence[Sequence[RowRun]]) -> None:
        """Rows take the first places.

        Args:
            starts: tokens before each row's own.
            own: pages of each row.
            levels: runs of all rows, level by level.
        """
        size, device = self.size, self.starts.device
        self.starts.copy_(to_device([*starts, *[0] * (size.rows - len(starts))], device))
        self.own.copy_(_padded(own, size.rows, size.pages, device))
        for (begins, used, table), runs in zip(self.levels, levels, strict=True):
            ends = [0]
            for run in runs:
                ends.append(ends[-1] + run.rows)
            begins.copy_(to_device(ends + [size.rows] * (len(begins) - len(ends)), device, torch.int32))
            tokens = [run.tokens for run in runs]
            used.copy_(to_device(tokens + [0] * (len(used) - len(tokens)), device, torch.int32))
            table.copy_(_padded([run.pages for run in runs], len(table), table.shape[1], device))


class PagedStep:
    """One token a row: it joins the row's own pages, and sees them and the row's spans. Implements `PackedPass`.

    Args:
        lengths: [rows], tokens that rows have of their own already.
    """

    def __init__(self, pages: Pages, kernel: PagedKernel, tables: Tables, lengths: torch.Tensor) -> None:
        self._pages = pages
        self._kernel = kernel
        self._tables = tables
        page = tables.own.gather(1, (lengths // pages.tokens)[:, None])[:, 0]
        self._slots = page.long() * pages.tokens + lengths % pages.tokens
        self._used = (lengths + 1).to(torch.int32)
        self._reads: dict[int, list[PageReads]] = {}  # by query heads of a key head, which are queries of their own

    def attend(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, variant: Variant
    ) -> torch.Tensor:
        assert variant.sinks is None, "models with sinks have no rows in pages"
        assert variant.cap is None, "models with caps have no rows in pages"
        self._pages.put(layer, self._slots, torch.stack((k[:, :, 0], v[:, :, 0]), dim=1))
        return self._seen(layer, q[:, :, 0], k.shape[1], scale).view(q.shape)

    def attend_packed(self, layer: int, packed: torch.Tensor, heads: int, scale: float) -> torch.Tensor:
        """See `PackedPass.attend_packed`."""
        self._pages.put(layer, self._slots, packed[:, heads:].view(len(packed), 2, -1, packed.shape[2]))
        return self._seen(layer, packed[:, :heads], (packed.shape[1] - heads) // 2, scale)

    def _seen(self, layer: int, q: torch.Tensor, key_heads: int, scale: float) -> torch.Tensor:
        """Output [rows, heads * D] for queries [rows, heads, D]."""
        (rows, heads, width), groups = q.shape, q.shape[1] // key_heads
        keys, values = self._pages.layer(layer)
        folded = q.reshape(rows, key_heads, groups, width).transpose(1, 2).reshape(-1, key_heads, width)
        parts = [self._kernel(folded, keys, values, reads, scale) for reads in self._of(groups)]
        output = q.new_empty(rows, key_heads, groups, width)
        by_query = [(part.view(rows, groups, key_heads, width), total) for part, total in parts]
        merge_pages(by_query, output.transpose(1, 2))
        return output.view(rows, heads * width)

    def _of(self, groups: int) -> list[PageReads]:
        if groups not in self._reads:
            tables, rows = self._tables, self._tables.size.rows
            self._reads[groups] = [
                PageReads(tables.rows * groups, self._used, tables.own, groups),
                *(PageReads(begins * groups, used, table, rows * groups) for begins, used, table in tables.levels),
            ]
        return self._reads[groups]


def paged_step(
    forward: StepForward,
    pages: Pages,
    kernel: PagedKernel,
    tables: Tables,
    tokens: torch.Tensor,
    lengths: torch.Tensor,
) -> torch.Tensor:
    """Logits [rows, V] behind a token of each place."""
    return forward(tokens, lengths + tables.starts, PagedStep(pages, kernel, tables, lengths))


def _numbers(count: int, device: torch.device) -> torch.Tensor:
    return torch.zeros(count, dtype=torch.int32, device=device)


def _table(sequences: int, pages: int, device: torch.device) -> torch.Tensor:
    return torch.full((sequences, pages), SCRATCH, dtype=torch.int32, device=device)


def _padded(lists: Sequence[Sequence[int]], rows: int, width: int, device: torch.device) -> torch.Tensor:
    filled = [[*pages, *[SCRATCH] * (width - len(pages))] for pages in lists]
    filled += [[SCRATCH] * width] * (rows - len(filled))
    return to_device(filled, device, torch.int32)
