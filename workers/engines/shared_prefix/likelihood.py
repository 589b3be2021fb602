"""How likely a model finds given continuations: one pass over them, nothing is generated."""

from __future__ import annotations

from typing import Protocol

import torch

from workers.prompt import Likelihood

LOGITS_BYTES = 2**28  # of one pass


class WholeRows(Protocol):
    def logits(self, tokens: list[list[int]], first: int) -> torch.Tensor:
        """Logits [rows, longest - first, V] at positions `first` and later of whole rows. Nothing is stored."""
        ...


@torch.inference_mode()
def likelihoods(
    rows: WholeRows, prompts: list[list[int]], continuations: list[list[int]], vocabulary: int
) -> list[Likelihood]:
    """Of each continuation behind its prompt.

    Args:
        prompts: tokens, at least one each.
        continuations: tokens, at least one each.
        vocabulary: width V of the logits.
    """
    found: list[Likelihood] = []
    for part in _parts(prompts, continuations, vocabulary):
        texts = [prompts[row] + continuations[row][:-1] for row in part]
        first = min(len(prompts[row]) for row in part) - 1
        logits = rows.logits(texts, first)
        for row, row_logits in zip(part, logits, strict=True):
            begin, wanted = len(prompts[row]) - 1 - first, continuations[row]
            chosen = row_logits[begin : begin + len(wanted)].float().log_softmax(dim=-1)
            ids = torch.tensor(wanted, device=chosen.device)[:, None]
            found.append(Likelihood(float(chosen.gather(1, ids).double().sum()), len(wanted)))
    return found


def _parts(prompts: list[list[int]], continuations: list[list[int]], vocabulary: int) -> list[list[int]]:
    """Consecutive rows whose logits stay within `LOGITS_BYTES`; at least one row each."""
    parts: list[list[int]] = []
    first = last = 0
    for row, (prompt, continuation) in enumerate(zip(prompts, continuations, strict=True)):
        first, last = min(first, len(prompt)), max(last, len(prompt) + len(continuation))
        if not parts or (len(parts[-1]) + 1) * (last - first) * vocabulary * 4 > LOGITS_BYTES:
            parts.append([])
            first, last = len(prompt), len(prompt) + len(continuation)
        parts[-1].append(row)
    return parts
