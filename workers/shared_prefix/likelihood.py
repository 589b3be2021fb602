"""How likely a model finds given continuations: one pass over them, nothing is generated."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch

from workers.failures import GenerationFailed
from workers.prompt import Likelihood
from workers.shared_prefix.capacity import READ_TOKENS, Capacity
from workers.shared_prefix.memory import give_back, is_out_of_memory

LOGITS_BYTES = 2**28  # of one pass, in fp32


class WholeRows(Protocol):
    def logits(self, tokens: list[list[int]], first: int) -> torch.Tensor:
        """Logits [rows, longest - first, V] at positions `first` and later of whole rows. Nothing is stored."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """A continuation behind its prompt, both as tokens, at least one each."""

    index: int
    prompt: list[int]
    continuation: list[int]

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.continuation)


def likelihoods(
    rows: WholeRows, asked: list[Given], shared: int, vocabulary: int, capacity: Capacity, device: torch.device
) -> Iterator[tuple[int, Likelihood]]:
    """Yields `(index, likelihood)` of each, batch by batch.

    Args:
        rows: behind the prefix.
        shared: tokens of the prefix.
        vocabulary: width V of the logits.
        capacity: halved and remembered where a batch does not fit the memory.
        device: of the model.

    Raises:
        GenerationFailed: one alone does not fit, or the model computes NaN.
    """
    waiting = sorted(asked, key=lambda given: -given.length)  # neighbours need little padding
    while waiting:
        batch = _fitting(waiting[: capacity.rows], shared, vocabulary)
        of_batch = _tried(rows, batch)
        if of_batch is None:
            give_back(device)
            capacity.halve(len(batch))
            continue
        waiting = waiting[len(batch) :]
        for given, likelihood in zip(batch, of_batch, strict=True):
            if math.isnan(likelihood):
                raise GenerationFailed("the model computes NaN: try model.dtype=bfloat16 or float32")
            yield given.index, Likelihood(likelihood, len(given.continuation))


def _fitting(waiting: list[Given], shared: int, vocabulary: int) -> list[Given]:
    """The first of them whose padded tokens and logits stay within bounds; at least one."""
    longest, first = waiting[0].length, len(waiting[0].prompt)
    for count, given in enumerate(waiting, 1):
        first = min(first, len(given.prompt))
        if count * (longest - shared) > READ_TOKENS or count * (longest - first) * vocabulary * 4 > LOGITS_BYTES:
            return waiting[: max(1, count - 1)]
    return waiting


def _tried(rows: WholeRows, batch: list[Given]) -> list[float] | None:
    """Log-probabilities, or None when they do not fit the memory."""
    try:
        return _log_probabilities(rows, batch)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return None


@torch.inference_mode()
def _log_probabilities(rows: WholeRows, batch: list[Given]) -> list[float]:
    first = min(len(given.prompt) for given in batch) - 1
    logits = rows.logits([given.prompt + given.continuation[:-1] for given in batch], first)
    sums = []
    for given, row in zip(batch, logits, strict=True):
        begin = len(given.prompt) - 1 - first
        chosen = row[begin : begin + len(given.continuation)].float().log_softmax(dim=-1)
        ids = torch.tensor(given.continuation, device=chosen.device)[:, None]
        sums.append(chosen.gather(1, ids).double().sum())
    totals: list[float] = torch.stack(sums).tolist()  # one wait for the device
    return totals
