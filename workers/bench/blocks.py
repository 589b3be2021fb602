"""Small blocks behind prefixes of their own: one after the other, and in one batch."""

from __future__ import annotations

from typing import Any

import torch

from workers.bench.contenders import decoded
from workers.bench.meter import Meter
from workers.bench.timed_rows import Prompts
from workers.bench.workload import GenerationWorkload

SHORTEST, LONGEST = 500, 2000  # tokens of the prefixes


def workloads(blocks: int, questions: int, new: int) -> list[GenerationWorkload]:
    """Prefixes that share nothing, of lengths evenly from the shortest to the longest."""
    step = (LONGEST - SHORTEST) // max(1, blocks - 1)
    return [GenerationWorkload(SHORTEST + step * block, questions, new, seed=block) for block in range(blocks)]


def compared(model: Any, works: list[GenerationWorkload]) -> str:
    """Both ways, in words."""
    blocks = [Prompts(work.prompts(model.config.vocab_size), work.prefix) for work in works]
    new = works[0].new
    _measured(
        model, [Prompts(block.tokens[:2], block.shared) for block in blocks[:2]], 4, as_one_batch=True
    )  # warms up
    separate_time, separate_answers = _measured(model, blocks, new, as_one_batch=False)
    joined, joint_answers = _measured(model, blocks, new, as_one_batch=True)
    pairs = [pair for both in zip(separate_answers, joint_answers, strict=True) for pair in zip(*both, strict=True)]
    same = sum(left == right for left, right in pairs) / len(pairs)
    tokens = new * len(pairs)
    return (
        f"{len(works)} blocks of {works[0].questions} questions behind {works[0].prefix:,} to {works[-1].prefix:,} "
        f"tokens, {new} new each: one after the other {_spoken(separate_time, tokens)}, "
        f"together {_spoken(joined, tokens)}: "
        f"{sum(separate_time) / sum(joined):.2f} times as fast, decoding {separate_time[1] / joined[1]:.2f} times; "
        f"{same:.0%} of the completions are the same"
    )


def _measured(
    model: Any, blocks: list[Prompts], new: int, *, as_one_batch: bool
) -> tuple[tuple[float, float], list[list[list[int]]]]:
    """Seconds of reading and of decoding, and what was said."""
    with Meter(torch.device(model.device)) as meter, torch.no_grad():
        answers = decoded(model, blocks, new, meter, as_one_batch=as_one_batch)
        total = meter.total()
    return (meter.prefill, total - meter.prefill), answers


def _spoken(seconds: tuple[float, float], tokens: int) -> str:
    read, decoded_in = seconds
    return f"{read + decoded_in:.1f} s ({read:.1f} s reading, {tokens / decoded_in:,.0f} tokens/s then)"
