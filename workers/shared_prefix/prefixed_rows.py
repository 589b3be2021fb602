"""Rows behind prefixes of a tree: what they have in common, however their own tokens are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from workers.failures import GenerationFailed
from workers.shared_prefix.attention import forward, store_keys
from workers.shared_prefix.capacity import READ_TOKENS
from workers.shared_prefix.kernels import Kernels
from workers.shared_prefix.memory import give_back, is_out_of_memory
from workers.shared_prefix.passes import Fill
from workers.shared_prefix.plain_rows import PAD
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.segments import Prefix, contiguous
from workers.shared_prefix.transfer import to_device


@dataclass(frozen=True, eq=False, slots=True)
class Shared:
    """A prefix in memory."""

    tokens: list[int]
    layers: Prefix


class PrefixedRows:
    """The half of `rows.Rows` that has to do with prefixes.

    Args:
        tree: where the prefixes are.
    """

    joins = True

    def __init__(self, model: Any, kernels: Kernels, tree: PrefixTree) -> None:
        self._model = model
        self._kernels = kernels
        self._tree = tree
        self._device = torch.device(model.device)
        self._prefix = Shared([], [])  # of the rows that enter next
        self._prefixes: list[Shared] = []  # of each row
        self._is_full = False  # no further prefix, until rows leave

    @torch.inference_mode()
    def stand_behind(self, prefix: list[int]) -> bool:
        """See `Rows.stand_behind`."""
        in_use = list(dict.fromkeys(self._prefixes))
        shared = next((other for other in in_use if other.tokens == prefix), None)
        if shared is None and not self._is_full:
            shared = self._acquired(prefix, [other.tokens for other in in_use])
        if shared is None:
            self._is_full = True
            return False
        self._prefix = shared
        return True

    def logits(self, tokens: list[list[int]], first: int) -> torch.Tensor:
        """See `likelihood.WholeRows`; `first` lies behind the prefix."""
        own = [row[len(self._prefix.tokens) :] for row in tokens]
        keep = max(len(row) for row in tokens) - first
        return forward(self._model, *self._padded(own), Fill(self._prefix.layers, self._kernels, None), keep)

    def _acquired(self, prefix: list[int], in_use: list[list[int]]) -> Shared | None:
        """The prefix from the tree. None when it has no place for it beside those in use."""
        if in_use and not self._tree.fits([prefix, *in_use]):
            return None
        for _ in range(2):  # the second time alone in memory
            try:
                return Shared(prefix, contiguous(self._tree.acquire(prefix, in_use)))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            if in_use:
                return None
            self._tree.forget()
            give_back(self._device)
        raise GenerationFailed(f"a prefix of {len(prefix):,} tokens does not fit the memory")

    def _store(self, rows: list[list[int]], put: Callable[[int, torch.Tensor, torch.Tensor], None]) -> None:
        """Read rows' own tokens; `put` takes the keys and values of each layer."""
        store_keys(self._model, *self._padded(rows), Fill(self._prefix.layers, self._kernels, put))

    def _padded(self, rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and positions of the rows' own tokens, padded on the right, where no token looks."""
        longest, start = max(len(row) for row in rows), len(self._prefix.tokens)
        ids = to_device([row + [PAD] * (longest - len(row)) for row in rows], self._device)
        return ids, torch.arange(start, start + longest, device=self._device)[None]


def parts_read(lengths: list[int]) -> list[tuple[int, int]]:
    """Consecutive rows whose padded tokens stay within `READ_TOKENS`; at least one row each."""
    parts, begin, longest = [], 0, 0
    for row, length in enumerate(lengths):
        longest = max(longest, length)
        if row > begin and longest * (row - begin + 1) > READ_TOKENS:
            parts.append((begin, row))
            begin, longest = row, length
    return [*parts, (begin, len(lengths))]
