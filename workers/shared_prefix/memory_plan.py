"""The memory that a loaded model leaves: first for prefixes, then for rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import torch

from workers.shared_prefix.capacity import Sizes, rows_behind_prefix, rows_of_whole_prompts, sizes
from workers.shared_prefix.memory import free_bytes

PREFIXES = {"cpu": 0.1, "cuda": 0.3}  # of what is free once the model is loaded
ROWS = {"cpu": 0.25, "cuda": 0.85}  # of what is free then; a computer's memory is for its other workers too
PAGES = 0.6  # likewise, where rows are kept in pages that are made at once; steps and choices need the rest
MOST_ROWS = {"cpu": 128, "cuda": 512}  # more gain little: a step then takes as long as its rows' own keys and values


def most_rows(device: torch.device) -> int:
    """Rows together that are worth their memory."""
    return MOST_ROWS[device.type]


class Room:
    """Free memory. Where layers lie on several devices, the fullest one decides.

    Args:
        model: a causal language model on its device or devices.
        free: bytes that a device has free; asked anew for every block.
    """

    def __init__(self, model: Any, free: Callable[[torch.device], int] = free_bytes) -> None:
        self._free = free
        self._shares = layer_shares(model)
        self._sizes = sizes(model.config.get_text_config(decoder=True), model.dtype.itemsize)

    @property
    def devices(self) -> tuple[torch.device, ...]:
        """The devices that layers lie on."""
        return tuple(self._shares)

    def for_prefixes(self) -> int:
        """Bytes of keys and values that may be kept for later blocks, on all devices together."""
        return min(int(PREFIXES[device.type] * self._free(device) / share) for device, share in self._shares.items())

    def rows(self, own: int, set_aside: int) -> int:
        """How many that have `own` tokens behind a prefix, new ones included; at least 1.

        Args:
            set_aside: bytes for prefixes that are not yet used, less those of rows that are there already and count as
                free, on all devices together.
        """
        return self._fewest(set_aside, lambda free, model: rows_behind_prefix(free, own, model))

    def pages(self, tokens: int, set_aside: int) -> int:
        """How many pages of so many tokens may be kept for rows and the prefixes they stand behind; at least 2."""
        free = min(self._free(device) / share - set_aside for device, share in self._shares.items())
        return max(2, int(PAGES * free) // (tokens * self._sizes.kept))

    def whole_rows(self, prompt: int, new: int) -> int:
        """How many whose `prompt` tokens are all their own, and that gain `new` ones; at least 1."""
        return self._fewest(0, lambda free, model: rows_of_whole_prompts(free, prompt, new, model))

    def _fewest(self, set_aside: int, fitting: Callable[[int, Sizes], int]) -> int:
        return min(
            fitting(int(ROWS[device.type] * (self._free(device) - share * set_aside)), self._sizes.on(share))
            for device, share in self._shares.items()
        )


def layer_shares(model: Any) -> dict[torch.device, float]:
    """The share of the layers on each device; the shares add up to 1."""
    attentions = [module for module in model.modules() if hasattr(module, "layer_idx")]
    places = [next(module.parameters(), None) for module in attentions]
    counts = Counter(weight.device for weight in places if weight is not None) or Counter([model.device])
    return {device: count / counts.total() for device, count in counts.items()}
