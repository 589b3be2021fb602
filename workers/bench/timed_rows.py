"""The engine's rows, whose reading of prompts is timed apart from their steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from workers.bench.meter import Meter
from workers.shared_prefix import support
from workers.shared_prefix.fused_step import StepForward
from workers.shared_prefix.graph import recorder
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.paged_rows import PagedRows, RecordedSteps
from workers.shared_prefix.pages import Pages
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.prefixed_rows import PrefixedRows
from workers.shared_prefix.shared_rows import SharedRows


@dataclass(frozen=True, slots=True)
class Prompts:
    """The prompts of a block: the first `shared` tokens are the same in all."""

    tokens: list[list[int]]
    shared: int


class _Timed(PrefixedRows):
    """Adds what its reading takes to the meter."""

    def __init__(self, meter: Meter, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._meter = meter

    def stand_behind(self, prefix: list[int]) -> bool:
        start = self._meter.now()
        is_shared = super().stand_behind(prefix)
        self._meter.prefill += self._meter.now() - start
        return is_shared

    def enter(self, tokens: list[list[int]]) -> None:
        start = self._meter.now()
        super().enter(tokens)  # type: ignore[misc]  # of the rows that it is mixed into
        self._meter.prefill += self._meter.now() - start


class _TimedShared(_Timed, SharedRows):
    pass


class _TimedPaged(_Timed, PagedRows):
    pass


@lru_cache(maxsize=1)  # it is tried once, in the small run before the measured one
def _step_forward(model: Any, chosen: Kernels) -> StepForward:
    return support.step_forward(model, chosen)


def timed_rows(
    model: Any, chosen: Kernels, tree: PrefixTree, blocks: list[Prompts], new: int, meter: Meter
) -> Callable[[], _TimedShared | _TimedPaged]:
    """Make rows as the engine does; with pages for all blocks at once."""
    record = recorder(torch.device(model.device))
    forward = _step_forward(model, chosen) if record is not None else None
    if chosen.paged is None:
        return lambda: _TimedShared(meter, model, chosen, tree, record, forward)
    lengths = [len(prompt) - block.shared + new for block in blocks for prompt in block.tokens]
    lengths += [2 * block.shared for block in blocks]
    pages = Pages(1 + sum(1 + length // chosen.page for length in lengths), chosen.page)
    steps = RecordedSteps(model, chosen.paged, pages, record, forward)
    return lambda: _TimedPaged(meter, model, chosen, tree, steps)
