"""Keys and values in pages that never move; rows and prefixes own some of them."""

from __future__ import annotations

from collections.abc import Iterable

import torch

SCRATCH = 0  # page of places without a row: written to, never read by one


class Pages:
    """Pages of keys and values: per layer one tensor of each, [count, tokens, key heads, D], made when the layer's
    first keys arrive.

    Args:
        count: pages, `SCRATCH` among them.
        tokens: of a page.
    """

    def __init__(self, count: int, tokens: int) -> None:
        self.count = count
        self.tokens = tokens
        self._free = list(range(count - 1, SCRATCH, -1))
        self._keys: list[torch.Tensor] = []
        self._values: list[torch.Tensor] = []

    @property
    def free(self) -> int:
        return len(self._free)

    def needed(self, tokens: int) -> int:
        """Pages for so many tokens."""
        return -(-tokens // self.tokens)

    def take(self, count: int) -> list[int]:
        """Pages that nobody owns. Raises torch.OutOfMemoryError where there are not so many."""
        if count > len(self._free):
            raise torch.OutOfMemoryError(f"{count} pages of keys and values are not left")
        return [self._free.pop() for _ in range(count)]

    def give_back(self, pages: Iterable[int]) -> None:
        self._free += pages

    def layer(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self._keys[index], self._values[index]

    def put(self, index: int, slots: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> None:
        """Keys and values [n, key heads, D] of a layer go to slots [n]: page times tokens of a page, plus the place."""
        if index == len(self._keys):
            self._keys.append(k.new_zeros(self.count, self.tokens, *k.shape[1:]))
            self._values.append(v.new_zeros(self.count, self.tokens, *v.shape[1:]))
        for pool, new in ((self._keys[index], k), (self._values[index], v)):
            pool.view(-1, *new.shape[1:]).index_copy_(0, slots, new)

    def slots(self, pages: list[int], begin: int, end: int) -> list[int]:
        """Slots of the tokens `begin` up to `end` of these pages."""
        return [pages[at // self.tokens] * self.tokens + at % self.tokens for at in range(begin, end)]
