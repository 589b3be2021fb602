"""Keys and values in pages that never move; rows and prefixes own some of them."""

from __future__ import annotations

from collections.abc import Iterable

import torch

SCRATCH = 0  # page of places without a row: written to, never read by one


class Pages:
    """Pages of keys and values: per layer one tensor, [count, tokens, 2, key heads, D], made when the layer's first
    keys arrive.

    Args:
        count: pages, `SCRATCH` among them.
        tokens: of a page.
    """

    def __init__(self, count: int, tokens: int) -> None:
        self.count = count
        self.tokens = tokens
        self._free = list(range(count - 1, SCRATCH, -1))
        self._layers: list[torch.Tensor] = []

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
        """Keys and values of a layer, each [count, tokens, key heads, D]."""
        return self._layers[index][:, :, 0], self._layers[index][:, :, 1]

    def put(self, index: int, slots: torch.Tensor, keys_and_values: torch.Tensor) -> None:
        """Copy keys and values [n, 2, key heads, D] of a layer to slots [n]: page times its tokens, plus the place."""
        if index == len(self._layers):
            self._layers.append(keys_and_values.new_zeros(self.count, self.tokens, *keys_and_values.shape[1:]))
        self._layers[index].view(-1, *keys_and_values.shape[1:]).index_copy_(0, slots, keys_and_values)

    def slots(self, pages: list[int], begin: int, end: int) -> list[int]:
        """Slots of the tokens `begin` up to `end` of these pages."""
        return [pages[at // self.tokens] * self.tokens + at % self.tokens for at in range(begin, end)]
