"""Rows as transformers' own `generate` keeps them: whole prompts, left-padded, each with its own copy of the prefix."""

from __future__ import annotations

import inspect
from typing import Any

import torch

PAD = 0  # any id will do: no row attends to its padding


class PlainRows:
    """Rows of any causal language model of transformers; slow, because every row prefills and reads the shared prefix.

    Rows cannot join a running batch: caches of other layouts (sliding windows) cannot be concatenated.
    """

    joins = False
    is_recorded = False
    held = 0  # no row joins where some are held

    def __init__(self, model: Any) -> None:
        self._model = model
        self._parameters = set(inspect.signature(model.forward).parameters)
        self._cache: Any = None  # the model makes one of its own kind
        self._mask = torch.empty(0)  # [B, L] 1 where a row has a token

    def stand_behind(self, prefix: list[int]) -> bool:  # noqa: ARG002 - every row has its own
        return True

    def enter(self, tokens: list[list[int]]) -> None:
        ids, mask = left_padded(tokens)
        self._mask = mask.to(self._model.device)
        if ids.shape[1]:
            self._forward(ids.to(self._model.device), (self._mask.cumsum(dim=1) - 1).clamp_min(0))

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
        return self._forward(tokens[:, None], self._mask.sum(dim=1, keepdim=True) - 1)

    def alone(self, tokens: list[int]) -> torch.Tensor:
        """See `Rows.alone`."""
        return self.logits([tokens], len(tokens) - 1)[:, -1]

    def keep(self, rows: list[int]) -> None:
        indices = torch.tensor(rows, device=self._mask.device)
        self._mask = self._mask[indices]
        self._cache.reorder_cache(indices)  # `batch_select_indices` is missing where layers keep a recurrent state

    def logits(self, tokens: list[list[int]], first: int) -> torch.Tensor:
        """See `likelihood.WholeRows`."""
        ids, mask = (t.flip(1).to(self._model.device) for t in left_padded([row[::-1] for row in tokens]))
        keep = ids.shape[1] - first
        options = self._taken_by_model({"logits_to_keep": keep})
        logits: torch.Tensor = self._model(input_ids=ids, attention_mask=mask, use_cache=False, **options).logits
        return logits[:, -keep:]

    def _forward(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        options = self._taken_by_model({"position_ids": positions, "logits_to_keep": 1})
        output = self._model(
            input_ids=ids, attention_mask=self._mask, past_key_values=self._cache, use_cache=True, **options
        )
        self._cache = output.past_key_values
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    def _taken_by_model(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options that the model takes."""
        return {name: value for name, value in options.items() if name in self._parameters}


def left_padded(tokens: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask (1 where there is a token), both [rows, longest]."""
    longest = max(len(row) for row in tokens)
    ids = torch.full((len(tokens), longest), PAD)
    mask = torch.zeros(len(tokens), longest, dtype=torch.long)
    for index, row in enumerate(tokens):
        ids[index, longest - len(row) :] = torch.tensor(row)
        mask[index, longest - len(row) :] = 1
    return ids, mask
