"""The running rows as the decode loop sees them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch

from workers.shared_prefix.ahead import Ahead


class Rows(Protocol):
    """The running rows as the model sees them: their keys and values.

    Attributes:
        joins: rows may enter while others run.
        is_recorded: steps run from a recording, so that the host has time for other things while they run.
    """

    joins: bool
    is_recorded: bool

    @property
    def held(self) -> int:
        """Bytes of the rows' own keys and values, the prefixes' not among them; pages where they are in pages."""
        ...

    def stand_behind(self, prefix: list[int]) -> bool:
        """The rows that enter next begin with these tokens, which are in memory from now on. False when that has no
        place for them beside the prefixes of the rows that run.

        Raises:
            GenerationFailed: they do not even fit alone.
        """
        ...

    def enter(self, tokens: list[list[int]]) -> None:
        """Rows with these tokens (of some, none but the prefix's) join at the end of the batch."""
        ...

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Every row of the batch gains its token, [B]. Returns the logits behind it, [B, V]."""
        ...

    def alone(self, tokens: list[int]) -> torch.Tensor:
        """The logits behind a whole text, [1, V], computed from its tokens and nothing that is in memory."""
        ...

    def keep(self, rows: list[int]) -> None:
        """Only the rows of these indices stay, in this order."""
        ...


@runtime_checkable
class RowsAhead(Rows, Protocol):
    """Rows that can be given a draft of what follows, and keep as much of it as they say."""

    @property
    def takes_drafts(self) -> bool:
        """Whether that is faster than a step at a time."""
        ...

    def step_ahead(self, ahead: Ahead) -> torch.Tensor:
        """The logits behind each of these tokens, [N, V]; no row has gained any yet."""
        ...

    def gain(self, tokens: list[int]) -> None:
        """Every row keeps so many of the tokens that it was given last."""
        ...
