"""Attention over pages: keys and values that stay where they are while rows come, grow and go.

A step that reads them finds out from small tables on the device what to read, so that a step once recorded serves any
rows of its size.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch

from workers.shared_prefix.arithmetic import Part, by_arithmetic

log = logging.getLogger(__name__)
aten = torch.ops.aten

PAGE = 256  # tokens; FlashAttention takes multiples of it


@dataclass(frozen=True, slots=True)
class PageReads:
    """Sequences of queries and what each reads: sequence i has the queries from `begins[i]` up to `begins[i + 1]`, and
    they all see the first `used[i]` tokens of its pages, none where that is 0.

    Attributes:
        begins: [S + 1], int32.
        used: [S], int32.
        pages: [S, P], int32.
        most: queries of a sequence, at most.
    """

    begins: torch.Tensor
    used: torch.Tensor
    pages: torch.Tensor
    most: int


PagedKernel = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, PageReads, float], Part]
"""(queries [T, h, D], keys and values [pages, tokens, h, D], reads, scale) -> output [T, h, D] and log-sum-exp [h, T]
in fp32, infinite of either sign where nothing is seen."""


def paged_by_arithmetic(
    q: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, reads: PageReads, scale: float
) -> Part:
    """Exact on every device, sequence by sequence, in fp32."""
    output = torch.zeros_like(q)
    total = q.new_full((q.shape[1], q.shape[0]), float("inf"), dtype=torch.float32)
    begins, used = reads.begins.tolist(), reads.used.tolist()
    for sequence, tokens in enumerate(used):
        rows = slice(begins[sequence], begins[sequence + 1])
        if not tokens or rows.start == rows.stop:
            continue
        k, v = (pool[reads.pages[sequence]].flatten(0, 1)[:tokens].transpose(0, 1)[None] for pool in (keys, values))
        part, totals = by_arithmetic(q[rows].transpose(0, 1)[None], k, v, None, False, scale)
        output[rows], total[:, rows] = part[0].transpose(0, 1), totals[0]
    return output, total


def paged_flash(q: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, reads: PageReads, scale: float) -> Part:
    """FlashAttention with a table of pages, which splits long sequences itself. Where keys lie is said by the table,
    but version 2 also wants beginnings of keys; those of the queries stand in for them."""
    return _flash(q, keys, values, reads, scale, reads.begins)


def paged_flash_3(q: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, reads: PageReads, scale: float) -> Part:
    """The kernel where no beginnings are wanted."""
    return _flash(q, keys, values, reads, scale, None)


def _flash(
    q: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    reads: PageReads,
    scale: float,
    begins_of_keys: torch.Tensor | None,
) -> Part:
    output, total, *_ = aten._flash_attention_forward(
        q,
        keys,
        values,
        reads.begins,
        begins_of_keys,
        reads.most,
        reads.pages.shape[1] * keys.shape[1],
        0.0,  # dropout
        False,  # causal
        False,  # debug mask
        scale=scale,
        seqused_k=reads.used,
        block_table=reads.pages,
    )
    return output, total


def merge_pages(parts: list[Part], output: torch.Tensor) -> None:
    """Write all parts' keys together to `output`, added up in fp32. Every query sees something of the first part.

    Args:
        parts: outputs [rows, groups, h, D] and log-sum-exps [h, rows * groups].
        output: as the parts' outputs.
    """
    whole, _ = parts[0]
    if len(parts) == 1:
        output.copy_(whole)
        return
    totals = torch.stack([total for _, total in parts])
    totals = torch.nan_to_num(totals, nan=float("nan"), posinf=float("-inf"), neginf=float("-inf"))
    weights = totals.softmax(dim=0).view(len(parts), -1, *whole.shape[:2]).permute(0, 2, 3, 1)[..., None]
    whole = whole * weights[0]
    for (more, _), weight in zip(parts[1:-1], weights[1:-1], strict=True):
        whole = torch.addcmul(whole, more, weight)
    torch.addcmul(whole, parts[-1][0], weights[-1], out=output)


def choose_paged(device: torch.device, dtype: torch.dtype, width: int) -> PagedKernel | None:
    """The kernel for this device, precision and head width D, checked against arithmetic; None where there is none."""
    if device.type != "cuda" or dtype not in (torch.bfloat16, torch.float16):
        return None
    reason = "attention over pages does not work here"
    if not has_table_of_pages():
        reason = f"FlashAttention of PyTorch {torch.__version__} takes no table of pages"
    else:
        for kernel in (paged_flash, paged_flash_3):
            if is_right(kernel, device, dtype, width):
                return kernel
    log.warning("%s, so rows lie in buffers, and a step is recorded whenever they come or go: slower", reason)
    return None


def has_table_of_pages() -> bool:
    """Whether the operator has the argument: since PyTorch 2.12."""
    return any(argument.name == "block_table" for argument in aten._flash_attention_forward.default._schema.arguments)


def is_right(kernel: PagedKernel, device: torch.device, dtype: torch.dtype, width: int) -> bool:
    """Whether a kernel computes what arithmetic does: a sequence that sees nothing, one of a part of a page and one of
    several pages in any order, the last of which is not full."""
    generator = torch.Generator().manual_seed(0)
    q, pool = (
        torch.randn(*shape, generator=generator).to(device, dtype) for shape in ((7, 2, width), (5, PAGE, 2, 2, width))
    )
    keys, values = pool[:, :, 0], pool[:, :, 1]  # as `Pages.layer` has them
    begins, used, pages = (
        torch.tensor(numbers, dtype=torch.int32, device=device)
        for numbers in ([0, 2, 3, 7], [0, 9, 2 * PAGE + 5], [[0, 0, 0], [4, 0, 0], [3, 1, 2]])
    )
    reads = PageReads(begins, used, pages, 4)
    right = paged_by_arithmetic(q, keys, values, reads, width**-0.5)
    tolerance = 1e-4 if dtype == torch.float32 else 3e-2
    try:
        output, total = kernel(q, keys, values, reads, width**-0.5)
        torch.testing.assert_close(output, right[0], rtol=tolerance, atol=tolerance)
        seen = right[1].isfinite()
        torch.testing.assert_close(total[seen], right[1][seen], rtol=tolerance, atol=tolerance)
        assert bool(total[~seen].isinf().all()), "what sees nothing has no finite sum"
    except (RuntimeError, NotImplementedError, AssertionError, TypeError) as error:
        log.info("attention kernel %s does not work here: %s", getattr(kernel, "__name__", kernel), error)
        return False
    return True
