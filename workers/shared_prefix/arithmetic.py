"""Attention by plain arithmetic, and how parts of one softmax that were computed apart are merged.

softmax over [A, B] = (exp(a) * softmax over A + exp(b) * softmax over B) / (exp(a) + exp(b)), where a and b are the
log-sum-exps of the parts (Hydragen, arXiv 2402.05099).
"""

from __future__ import annotations

import torch

Part = tuple[torch.Tensor, torch.Tensor]
"""What a part of the keys contributes: output [b, h, r, D] and log-sum-exp [b, h, r] in fp32."""


def by_arithmetic(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    bias: torch.Tensor | None,
    causal: bool,
    scale: float,
    cap: float | None = None,
) -> Part:
    """Exact on every device, in fp32; needs memory for all scores.

    Args:
        cap: see `variants.Variant`.
    """
    scores = torch.matmul(q.float(), k.float().transpose(-1, -2)) * scale
    if cap is not None:  # before the mask, which must stay infinite (soft-capping: Gemma 2, arXiv 2408.00118)
        scores = torch.tanh(scores / cap) * cap
    if bias is not None:
        scores = scores + bias
    if causal:
        future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores.masked_fill(future, float("-inf"))
    total = scores.logsumexp(dim=-1)  # subtracted before exp, so that large scores do not overflow
    return torch.matmul(torch.exp(scores - total[..., None]), v.float()).to(q.dtype), total


def merged(parts: list[Part]) -> Part:
    """All parts' keys together. In fp32 where there are several parts."""
    output, total = parts[0]
    for more, more_total in parts[1:]:
        weight = torch.sigmoid(more_total - total)[..., None]  # exp(more) / (exp(total) + exp(more))
        output = torch.lerp(output.float(), more.float(), weight)
        total = torch.logaddexp(total, more_total)  # never exp(total) itself, which overflows
    return output, total
