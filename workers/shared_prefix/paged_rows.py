"""The running rows over pages: a step is recorded once for a size, and serves whatever rows come, grow and go."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from workers.shared_prefix.fused_step import StepForward, as_loaded
from workers.shared_prefix.graph import Record, RunStep
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.paged_kernels import PagedKernel
from workers.shared_prefix.paged_step import RowRun, Size, Tables, paged_step
from workers.shared_prefix.pages import Pages
from workers.shared_prefix.plain_rows import PAD
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.prefixed_rows import PrefixedRows, Shared, parts_read
from workers.shared_prefix.segments import cut
from workers.shared_prefix.shared_rows import SharedRows
from workers.shared_prefix.spans import PrefixSpan, in_order, spans
from workers.shared_prefix.transfer import to_device

MOST_RECORDED = 32  # steps of different sizes that are kept


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A step and the tables that it reads."""

    tables: Tables
    run: RunStep


class RecordedSteps:
    """Steps over the same pages, each recorded when its size is first met; those used least recently go first."""

    def __init__(
        self,
        model: Any,
        kernel: PagedKernel,
        pages: Pages,
        record: Record | None,
        forward: StepForward | None = None,
    ) -> None:
        self.pages = pages
        self._device = torch.device(model.device)
        self._forward = forward or as_loaded(model)
        self._kernel = kernel
        self._record = record
        self.are_recorded = record is not None
        self._steps: OrderedDict[Size, _Recorded | Tables] = OrderedDict()

    def size(self, needed: Size) -> Size:
        """Size of a step that does what is needed, if possible of one that was recorded before."""
        fitting = (size for size in reversed(self._steps) if _serves(size, needed))
        return next(fitting, _rounded(needed))

    def tables(self, size: Size) -> Tables:
        """The tables of a step of this size."""
        tables = self._steps.setdefault(size, Tables(size, self._device))
        self._steps.move_to_end(size)
        if len(self._steps) > MOST_RECORDED:
            self._steps.popitem(last=False)
        return tables if isinstance(tables, Tables) else tables.tables

    def run(self, size: Size, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Logits [rows, V] of a step whose tables are written; tokens and lengths are [rows]."""
        recorded = self._steps[size]
        if isinstance(recorded, Tables):
            step = partial(paged_step, self._forward, self.pages, self._kernel, recorded)
            recorded = _Recorded(recorded, step if self._record is None else self._record(step, tokens, lengths))
            self._steps[size] = recorded
        return recorded.run(tokens, lengths)


@dataclass(eq=False, slots=True)
class _Row:
    """One row's own tokens, and where they are kept.

    Attributes:
        size: tokens of its own.
        pages: where they lie.
    """

    prefix: Shared
    size: int
    pages: list[int]


class PagedRows(PrefixedRows):
    """`rows.Rows` on pages of keys and values.

    Args:
        tree: where the prefixes are.
        steps: outlive these rows, whose pages they get back.
    """

    def __init__(self, model: Any, kernels: Kernels, tree: PrefixTree, steps: RecordedSteps) -> None:
        super().__init__(model, kernels, tree)
        self._steps = steps
        self._pages = steps.pages
        self.is_recorded = steps.are_recorded
        self._rows: list[_Row] = []  # in the order of the batch
        self._owned: set[int] = set()
        self._spans: dict[tuple[int, ...], list[int]] = {}  # pages of a span, by all tokens up to its end and its begin
        self._tables: Tables | None = None  # None where rows have come or gone
        self._order = self._back = torch.empty(0, dtype=torch.long)  # rows by place, and places by row
        self._back_list: list[int] = []
        self._lengths = torch.empty(0, dtype=torch.long)  # [places]
        self._size = Size(0, 0, ())
        weakref.finalize(self, _return, self._pages, self._owned)

    @property
    def held(self) -> int:
        """Pages of rows that run, less those that the prefix of rows to come will need."""
        coming = 0 if self._prefix in self._prefixes else self._pages.needed(len(self._prefix.tokens)) + 1
        return sum(len(row.pages) for row in self._rows) - coming

    def stand_behind(self, prefix: list[int]) -> bool:
        """See `Rows.stand_behind`; a prefix in use is copied to pages."""
        needed = self._pages.needed(len(prefix)) + 1
        if self._rows and needed > self._pages.free and all(row.prefix.tokens != prefix for row in self._rows):
            return False
        return super().stand_behind(prefix)

    def enter(self, tokens: list[list[int]]) -> None:
        own = [row[len(self._prefix.tokens) :] for row in tokens]
        new = [_Row(self._prefix, len(row), self._taken(len(row) + 1)) for row in own]
        for begin, end in parts_read([len(row) for row in own]):
            if any(own[begin:end]):
                self._store(own[begin:end], partial(self._put, *self._places(new[begin:end])))
        self._rows += new
        self._prefixes = [row.prefix for row in self._rows]
        self._tables = None

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        self._grow()
        if self._tables is None:
            self._arrange()
        given = torch.full_like(self._lengths, PAD)
        given[: len(tokens)] = tokens[self._order]
        logits = self._steps.run(self._size, given, self._lengths)
        self._lengths[: len(tokens)] += 1
        for row in self._rows:
            row.size += 1
        return logits[self._back]

    def alone(self, tokens: list[int]) -> torch.Tensor:
        """See `Rows.alone`."""
        rows = SharedRows(self._model, self._kernels, PrefixTree(self._model, self._kernels, budget=0))
        rows.stand_behind(tokens[:-1])
        rows.enter([tokens[:-1]])
        return rows.step(torch.tensor(tokens[-1:], device=self._device))

    def keep(self, rows: list[int]) -> None:
        staying = [self._rows[row] for row in rows]
        self._return_pages({page for row in self._rows for page in row.pages} - {p for r in staying for p in r.pages})
        self._rows = staying
        self._prefixes = [row.prefix for row in staying]
        self._is_full = False
        self._tables = None

    def _taken(self, tokens: int) -> list[int]:
        pages = self._pages.take(self._pages.needed(tokens))
        self._owned.update(pages)
        return pages

    def _return_pages(self, pages: set[int]) -> None:
        self._owned -= pages
        self._pages.give_back(pages)

    def _places(self, rows: Sequence[_Row]) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions of the rows' tokens among theirs padded to the longest, and their slots."""
        longest = max(row.size for row in rows)
        padded = [index * longest + at for index, row in enumerate(rows) for at in range(row.size)]
        slots = [slot for row in rows for slot in self._pages.slots(row.pages, 0, row.size)]
        return to_device(padded, self._device), to_device(slots, self._device)

    def _put(self, padded: torch.Tensor, slots: torch.Tensor, layer: int, k: torch.Tensor, v: torch.Tensor) -> None:
        self._pages.put(layer, slots, torch.stack([t.transpose(1, 2).flatten(0, 1)[padded] for t in (k, v)], dim=1))

    def _grow(self) -> None:
        """A page for every row whose last one is full."""
        for index, row in enumerate(self._rows):
            if row.size == len(row.pages) * self._pages.tokens:
                row.pages += self._taken(1)
                if self._tables is not None and len(row.pages) <= self._size.pages:
                    self._tables.grow(int(self._back_list[index]), len(row.pages) - 1, row.pages[-1])
                else:
                    self._tables = None

    def _arrange(self) -> None:
        """Rows with a common beginning become neighbours, and the tables say where everything lies."""
        in_use = list(dict.fromkeys(row.prefix for row in self._rows))
        texts = [prefix.tokens for prefix in in_use]
        rank = {in_use[index]: place for place, index in enumerate(in_order(texts))}
        order = sorted(range(len(self._rows)), key=lambda index: rank[self._rows[index].prefix])
        rows = [self._rows[index] for index in order]
        levels = self._levels(in_use, spans(texts, self._pages.tokens), [rank[row.prefix] for row in rows], rank)
        needed = Size(
            len(rows),
            max(len(row.pages) for row in rows),
            tuple((len(runs) + 1, max(len(run.pages) for run in runs)) for runs in levels),
        )
        if not _serves(self._size, needed):
            self._size = self._steps.size(needed)
        self._tables = self._steps.tables(self._size)
        self._tables.write([len(row.prefix.tokens) for row in rows], [row.pages for row in rows], levels)
        lengths = [row.size for row in rows] + [0] * (self._size.rows - len(rows))
        self._lengths = to_device(lengths, self._device)
        self._back_list = sorted(range(len(order)), key=order.__getitem__)
        self._order, self._back = (to_device(places, self._device) for places in (order, self._back_list))

    def _levels(
        self, in_use: list[Shared], cut_into: list[PrefixSpan], ranks: list[int], rank: dict[Shared, int]
    ) -> list[list[RowRun]]:
        """Runs of all rows, level by level; spans that are new are copied to pages, and those of old ones go back."""
        wanted = {(span.begin, *in_use[span.members[0]].tokens[: span.end]): span for span in cut_into}
        for key in self._spans.keys() - wanted:
            self._return_pages(set(self._spans.pop(key)))
        levels: list[dict[int, RowRun]] = [{} for _ in range(1 + max((span.depth for span in cut_into), default=-1))]
        for key, span in wanted.items():
            if key not in self._spans:
                self._spans[key] = self._copied(in_use[span.members[0]], span)
            members = {rank[in_use[member]] for member in span.members}
            rows = [index for index, own in enumerate(ranks) if own in members]
            levels[span.depth][rows[0]] = RowRun(len(rows), span.end - span.begin, self._spans[key])
        return [list(_with_gaps(level, len(ranks))) for level in levels]

    def _copied(self, prefix: Shared, span: PrefixSpan) -> list[int]:
        pages = self._taken(span.end - span.begin)
        slots = to_device(self._pages.slots(pages, 0, span.end - span.begin), self._device)
        for layer, segments in enumerate(cut(prefix.layers, span.begin, span.end)):
            at = 0
            for k, v in segments:
                keys_and_values = torch.stack((k[0].transpose(0, 1), v[0].transpose(0, 1)), dim=1)
                self._pages.put(layer, slots[at : at + k.shape[2]], keys_and_values)
                at += k.shape[2]
        return pages


def _return(pages: Pages, owned: set[int]) -> None:
    pages.give_back(owned)


def _with_gaps(runs: dict[int, RowRun], rows: int) -> list[RowRun]:
    """All rows in order, by runs that begin at these."""
    whole, at = list[RowRun](), 0
    for begin in sorted(runs):
        if begin > at:
            whole.append(RowRun(begin - at, 0, ()))
        whole.append(runs[begin])
        at = begin + runs[begin].rows
    return [*whole, RowRun(rows - at, 0, ())] if at < rows else whole


def _serves(size: Size, needed: Size) -> bool:
    """Whether a step of this size does what is needed, at no more than twice the work."""
    return (
        needed.rows <= size.rows <= 2 * needed.rows
        and needed.pages <= size.pages
        and len(needed.levels) == len(size.levels)
        and all(
            few <= many and short <= long <= 2 * max(4, short)
            for (few, short), (many, long) in zip(needed.levels, size.levels, strict=True)
        )
    )


def _rounded(needed: Size) -> Size:
    levels = tuple((max(4, _up(sequences)), max(8, _up(pages))) for sequences, pages in needed.levels)
    return Size(_up(needed.rows), max(2, _up(needed.pages)), levels)


def _up(number: int) -> int:
    """The next power of two, or three halves of one."""
    power = 1 << max(0, number - 1).bit_length()
    return 3 * power // 4 if power >= 4 and number <= 3 * power // 4 else power
