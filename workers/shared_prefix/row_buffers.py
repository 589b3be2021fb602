"""Keys and values of the running rows' own tokens."""

from __future__ import annotations

import torch


class RowBuffers:
    """Buffers of keys and values: per layer one tensor of each, [rows, key heads, room, D], right-padded: what lies
    behind a row's length is rubbish that no one looks at. A layer's tensors are made when its first keys arrive, so
    that every layer may have its own shape.

    Args:
        stride: tokens by which the room grows.
    """

    def __init__(self, stride: int) -> None:
        self._stride = stride
        self._keys: list[torch.Tensor] = []
        self._values: list[torch.Tensor] = []
        self._rows = 0
        self.room = 0
        """Tokens a row can hold."""

    @property
    def bytes(self) -> int:
        return sum(buffer.nbytes for buffer in (*self._keys, *self._values))

    def layer(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self._keys[index], self._values[index]

    def reserve(self, rows: int, room: int) -> bool:
        """Makes place for this many rows and tokens; what is there stays. True when tensors had to move."""
        if rows <= self._rows and room <= self.room:
            return False
        self._rows = max(rows, self._rows)
        self.room = max(self._in_strides(room), self.room)
        for buffers in (self._keys, self._values):
            for index, old in enumerate(buffers):
                new = self._empty(old)
                new[: old.shape[0], :, : old.shape[2]] = old
                buffers[index] = new
        return True

    def select(self, rows: list[int], room: int) -> None:
        """Only these rows stay, in this order, with place for this many tokens, which is all that they need."""
        self._rows, self.room = len(rows), min(self._in_strides(room), self.room)
        for buffers in (self._keys, self._values):
            for index, old in enumerate(buffers):
                chosen = torch.tensor(rows, dtype=torch.long, device=old.device)
                buffers[index] = old[:, :, : self.room][chosen]

    def put_rows(self, first: int, index: int, k: torch.Tensor, v: torch.Tensor) -> None:
        """Keys and values [n, key heads, t, D] of a layer become the beginning of rows `first`, `first` + 1, ..."""
        self._make(index, k, v)
        self._keys[index][first : first + k.shape[0], :, : k.shape[2]] = k
        self._values[index][first : first + v.shape[0], :, : v.shape[2]] = v

    def put_tokens(self, index: int, at: tuple[torch.Tensor, torch.Tensor], k: torch.Tensor, v: torch.Tensor) -> None:
        """Keys and values [n, key heads, 1, D] of a layer go to (rows [n], positions [n])."""
        self._make(index, k, v)
        self._keys[index][at[0], :, at[1]] = k[:, :, 0]
        self._values[index][at[0], :, at[1]] = v[:, :, 0]

    def _in_strides(self, room: int) -> int:
        return -(-room // self._stride) * self._stride

    def _make(self, index: int, k: torch.Tensor, v: torch.Tensor) -> None:
        if index == len(self._keys):
            self._keys.append(self._empty(k))
            self._values.append(self._empty(v))

    def _empty(self, like: torch.Tensor) -> torch.Tensor:
        """Zeros: rubbish that is not even a number would spoil a product with a weight of 0."""
        return like.new_zeros(self._rows, like.shape[1], self.room, like.shape[3])
