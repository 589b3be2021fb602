"""What models do to the softmax beside scaling: windows, sinks, caps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial

import torch

from workers.shared_prefix.arithmetic import Part, by_arithmetic
from workers.shared_prefix.kernels import Kernels

MOST_SCORES = 2**24  # in memory at once, where arithmetic computes them


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A layer's departures from plain attention.

    Attributes:
        window: tokens that a token sees, itself included; all before it when absent.
        sinks: [heads], logits of a key without a value, one a head.
        cap: scores are squeezed between its negative and itself, by a hyperbolic tangent.
    """

    window: int | None = None
    sinks: torch.Tensor | None = None
    cap: float | None = None

    @property
    def plain(self) -> bool:
        return self.window is None and self.sinks is None and self.cap is None


def kernels_for(variant: Variant, usual: Kernels) -> Kernels:
    """Kernels that cap where the variant does, by arithmetic; fused kernels of PyTorch do not."""
    return usual if variant.cap is None else _capping(usual, variant.cap)


@lru_cache(maxsize=16)
def _capping(usual: Kernels, cap: float) -> Kernels:
    capped = partial(capped_by_arithmetic, cap)
    return replace(usual, dense=capped, causal=capped, biased=capped, paged=None)


def capped_by_arithmetic(
    cap: float,
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    bias: torch.Tensor | None,
    causal: bool,
    scale: float,
) -> Part:
    """Compute `arithmetic.by_arithmetic` for some of the queries at a time."""
    if causal:
        future = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device).triu(1)
        bias = torch.zeros_like(future, dtype=q.dtype).masked_fill_(future, float("-inf"))[None, None]
    at_once = max(1, MOST_SCORES // (q.shape[0] * q.shape[1] * k.shape[2]))
    parts = []
    for begin in range(0, q.shape[2], at_once):
        some = slice(begin, begin + at_once)
        hidden = bias if bias is None or bias.shape[2] == 1 else bias[:, :, some]
        parts.append(by_arithmetic(q[:, :, some], k, v, hidden, False, scale, cap))
    return torch.cat([output for output, _ in parts], dim=2), torch.cat([total for _, total in parts], dim=2)


def with_sinks(part: Part, sinks: torch.Tensor | None) -> torch.Tensor:
    """Output [n, key heads, r, D] of a whole softmax that also has a sink a query head; r is groups times tokens."""
    output, total = part
    if sinks is None:
        return output
    key_heads, r = total.shape[1:]
    groups = len(sinks) // key_heads
    logits = sinks.float().reshape(key_heads, groups, 1).expand(-1, -1, r // groups).reshape(key_heads, r)
    return output * torch.sigmoid(total - logits)[..., None]


def hidden_before(first: torch.Tensor, keys: int, dtype: torch.dtype) -> torch.Tensor:
    """Bias [..., keys] that hides the keys before `first` [...]; it hides none where it would hide all."""
    places = torch.arange(keys, device=first.device)
    hidden = (places < first[..., None]) & (first < keys)[..., None]
    return torch.zeros_like(hidden, dtype=dtype).masked_fill_(hidden, float("-inf"))
