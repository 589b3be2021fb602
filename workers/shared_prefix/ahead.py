"""Tokens that rows are given at once: the last one each has said, and a draft of those that may follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

UNSURE = -2  # in the place of a token that rounding could change


@dataclass(frozen=True, slots=True)
class Ahead:
    """N tokens of B rows, row by row, on one device.

    Attributes:
        tokens: [N].
        rows: [N], whose token it is.
        offsets: [N], its place behind the row's last token; 0 is the last token itself.
        padded: [B, T], the tokens by row and offset; 0 behind a row's end.
    """

    tokens: torch.Tensor
    rows: torch.Tensor
    offsets: torch.Tensor
    padded: torch.Tensor

    @classmethod
    def of(cls, given: list[list[int]], device: torch.device) -> Ahead:
        """Each row's tokens, at least one each."""
        longest = max(len(row) for row in given)
        padded = torch.tensor([row + [0] * (longest - len(row)) for row in given], device=device)
        there = torch.arange(longest, device=device) < torch.tensor([len(row) for row in given], device=device)[:, None]
        rows, offsets = there.nonzero(as_tuple=True)
        return cls(padded[rows, offsets], rows, offsets, padded)

    def drafted_before(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Pairs of an index into the N tokens and the offset of a drafted token that stands before or at it."""
        places = torch.arange(1, self.padded.shape[1], device=self.rows.device)
        at, place = (places <= self.offsets[:, None]).nonzero(as_tuple=True)
        return at, places[place]


def accepted(given: list[list[int]], chosen: list[int], surely: Callable[[int, list[int]], int]) -> list[list[int]]:
    """What each row says: the chosen tokens as long as the draft agrees, and the one behind.

    Args:
        given: tokens of each row as `Ahead.of` takes them.
        chosen: what was chosen behind each of them.
        surely: chooses where `UNSURE` stands: takes a row and the part of its draft that it has said.
    """
    tokens_by_row, begin = [], 0
    for row, (_, *draft) in enumerate(given):
        own = list[int]()
        for place, token in enumerate(chosen[begin : begin + len(draft) + 1]):
            own.append(surely(row, draft[:place]) if token == UNSURE else token)
            if place == len(draft) or own[-1] != draft[place]:
                break
        tokens_by_row.append(own)
        begin += len(draft) + 1
    return tokens_by_row
