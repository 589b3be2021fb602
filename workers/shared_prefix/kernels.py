"""Attention that also returns its log-sum-exp, so that parts of one softmax can be computed apart and merged.

PyTorch's public function hides the log-sum-exp; the operators below it return it. They are private, so each is tried
against plain arithmetic before it is used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch

from workers.shared_prefix.arithmetic import Part, by_arithmetic
from workers.shared_prefix.paged_kernels import PAGE, PagedKernel, choose_paged

log = logging.getLogger(__name__)
aten = torch.ops.aten

Kernel = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None, bool, float], Part]
"""(queries [b, h, r, D], keys and values [b, h, s, D], bias broadcast to [b, h, r, s] or None, causal, scale)."""


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
        paged: over pages of `page` tokens; None where there is none.
        worth_sharing: bytes of a layer's keys and values; what several prefixes have in common is read once, in a call
            of its own, where it is more. Less stays in a processor's cache, where reading it again costs little.
    """

    dense: Kernel
    causal: Kernel
    biased: Kernel
    paged: PagedKernel | None = None
    page: int = PAGE
    worth_sharing: int = 2**20


@lru_cache(maxsize=16)
def choose(device: torch.device, dtype: torch.dtype, width: int) -> Kernels:
    """The kernels for this device, precision and head width D, each checked against arithmetic."""
    fast: tuple[Kernel, ...] = (cpu_flash,)
    biased: tuple[Kernel, ...] = (cpu_flash,)
    if device.type == "cuda":
        fast, biased = (cuda_flash, cuda_efficient), (cuda_efficient,)
    return Kernels(
        dense=_first_right(fast, device, dtype, width, bias=False, causal=False),
        causal=_first_right(fast, device, dtype, width, bias=False, causal=True),
        biased=_first_right(biased, device, dtype, width, bias=True, causal=False),
        paged=choose_paged(device, dtype, width),
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
            ours = kernel(*arguments)
            torch.testing.assert_close(ours[0], right[0], rtol=tolerance, atol=tolerance)
            torch.testing.assert_close(ours[1].float(), right[1], rtol=tolerance, atol=tolerance)
        except (RuntimeError, NotImplementedError, AssertionError, TypeError) as error:
            log.info("attention kernel %s does not work here: %s", getattr(kernel, "__name__", kernel), error)
        else:
            return kernel
    log.warning("no fused attention kernel works on %s with %s: plain arithmetic instead, slower", device, dtype)
    return by_arithmetic
