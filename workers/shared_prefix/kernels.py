"""Attention that also returns its log-sum-exp, so that parts of one softmax can be computed apart and merged.

softmax over [A, B] = (exp(a) * softmax over A + exp(b) * softmax over B) / (exp(a) + exp(b)), where a and b are the
log-sum-exps of the parts (Hydragen, arXiv 2402.05099). PyTorch's public function hides the log-sum-exp; the operators
below it return it. They are private, so each is tried against plain arithmetic before it is used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch

log = logging.getLogger(__name__)
aten = torch.ops.aten

Part = tuple[torch.Tensor, torch.Tensor]
"""What a part of the keys contributes: output [b, h, r, D] and log-sum-exp [b, h, r] in fp32."""

Kernel = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None, bool, float], Part]
"""(queries [b, h, r, D], keys and values [b, h, s, D], bias broadcast to [b, h, r, s] or None, causal, scale)."""

MOST_SPLITS = 16  # of a long segment on a GPU
SHORTEST_SPLIT = 256  # tokens; below, merging costs more than it saves


def by_arithmetic(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None, causal: bool, scale: float
) -> Part:
    """Exact on every device, in fp32; needs memory for all scores."""
    scores = torch.matmul(q.float(), k.float().transpose(-1, -2)) * scale
    if bias is not None:
        scores = scores + bias
    if causal:
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores.masked_fill(future, float("-inf"))
    total = scores.logsumexp(dim=-1)
    return torch.matmul(torch.exp(scores - total[..., None]), v.float()).to(q.dtype), total


def cpu_flash(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None, causal: bool, scale: float
) -> Part:
    mask = None if bias is None else bias.to(q.dtype).expand(-1, -1, q.shape[2], -1)
    output, total = aten._scaled_dot_product_flash_attention_for_cpu(
        q, k, v, is_causal=causal, attn_mask=mask, scale=scale
    )
    return output, total


def cuda_flash(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None, causal: bool, scale: float
) -> Part:
    assert bias is None, "flash attention takes no bias"
    output, total, *_ = aten._scaled_dot_product_flash_attention(q, k, v, is_causal=causal, scale=scale)
    return output, total[..., : q.shape[2]]


def cuda_efficient(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None, causal: bool, scale: float
) -> Part:
    mask = None if bias is None else bias.to(q.dtype).expand(q.shape[0], q.shape[1], q.shape[2], k.shape[2])
    output, total, *_ = aten._scaled_dot_product_efficient_attention(
        q, k, v, mask, compute_log_sumexp=True, is_causal=causal, scale=scale
    )
    return output, total[..., : q.shape[2]]  # the kernel pads its rows to 32


@dataclass(frozen=True, slots=True)
class Kernels:
    """The fastest that work here.

    Attributes:
        dense: every query sees every key; without a bias.
        causal: query i sees keys 0..i.
        biased: with a bias.
        multiprocessors: of the GPU; 0 on a CPU.
    """

    dense: Kernel
    causal: Kernel
    biased: Kernel
    multiprocessors: int

    def shared(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float) -> Part:
        """All queries [1, h, r, D] against one segment [1, h, s, D].

        On a GPU a long segment is cut into pieces that run as a batch: a decode step has too few queries to occupy
        every multiprocessor otherwise.
        """
        splits = self._splits(q.shape[1], q.shape[2], k.shape[2])
        if splits == 1:
            return self.dense(q, k, v, None, False, scale)
        k, v = (t.view(t.shape[1], splits, -1, t.shape[3]).transpose(0, 1) for t in (k, v))
        output, totals = self.dense(q.expand(splits, -1, -1, -1), k, v, None, False, scale)
        total = totals.logsumexp(dim=0, keepdim=True)
        return (output * torch.exp(totals - total)[..., None]).sum(dim=0, keepdim=True), total

    def _splits(self, heads: int, rows: int, tokens: int) -> int:
        splits, blocks = 1, heads * -(-rows // 128)
        while (
            blocks * splits < 2 * self.multiprocessors
            and splits < MOST_SPLITS
            and tokens % (2 * splits) == 0
            and tokens // (2 * splits) >= SHORTEST_SPLIT
        ):
            splits *= 2
        return splits


def merged(parts: list[Part]) -> Part:
    """All parts' keys together. In fp32 where there are several parts."""
    output, total = parts[0]
    for more, more_total in parts[1:]:
        weight = torch.sigmoid(more_total - total)[..., None]  # exp(more) / (exp(total) + exp(more))
        output = torch.lerp(output.float(), more.float(), weight)
        total = torch.logaddexp(total, more_total)
    return output, total


@lru_cache(maxsize=16)
def choose(device: torch.device, dtype: torch.dtype, width: int) -> Kernels:
    """The kernels for this device, precision and head width D, each checked against arithmetic."""
    fast: tuple[Kernel, ...] = (cpu_flash,)
    biased: tuple[Kernel, ...] = (cpu_flash,)
    multiprocessors = 0
    if device.type == "cuda":
        fast, biased = (cuda_flash, cuda_efficient), (cuda_efficient,)
        multiprocessors = torch.cuda.get_device_properties(device).multi_processor_count
    return Kernels(
        dense=_first_right(fast, device, dtype, width, bias=False, causal=False),
        causal=_first_right(fast, device, dtype, width, bias=False, causal=True),
        biased=_first_right(biased, device, dtype, width, bias=True, causal=False),
        multiprocessors=multiprocessors,
    )


def _first_right(
    kernels: tuple[Kernel, ...], device: torch.device, dtype: torch.dtype, width: int, *, bias: bool, causal: bool
) -> Kernel:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 2, 64, width, generator=generator).to(device, dtype) for _ in range(3))
    hidden = torch.zeros(2, 1, 1, 64, device=device).masked_fill(torch.arange(64, device=device) > 40, float("-inf"))
    arguments = (q, k, v, hidden if bias else None, causal, width**-0.5)
    right = by_arithmetic(*arguments)
    tolerance = 1e-4 if dtype == torch.float32 else 3e-2
    for kernel in kernels:
        try:
            found = kernel(*arguments)
            torch.testing.assert_close(found[0], right[0], rtol=tolerance, atol=tolerance)
            torch.testing.assert_close(found[1].float(), right[1], rtol=tolerance, atol=tolerance)
        except (RuntimeError, NotImplementedError, AssertionError, TypeError) as error:
            log.info("attention kernel %s is no use here: %s", getattr(kernel, "__name__", kernel), error)
        else:
            return kernel
    log.warning("no fused attention kernel works on %s with %s: plain arithmetic instead, slower", device, dtype)
    return by_arithmetic
