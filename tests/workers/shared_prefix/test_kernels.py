"""Parts of a softmax, merged by their log-sum-exps, are the softmax."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.shared_prefix import kernels
from workers.shared_prefix.arithmetic import Part, by_arithmetic, merged

CPU = torch.device("cpu")


def random(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(*shape, generator=generator) * 2 for shape in shapes]


def attended(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, sizes: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """What parts of the keys with these sizes merge to, and the truth in twice the precision."""
    chosen = kernels.choose(CPU, torch.float32, q.shape[-1])
    parts = [
        chosen.dense(q, keys, values, None, False, 0.3)
        for keys, values in zip(torch.split(k, sizes, dim=2), torch.split(v, sizes, dim=2), strict=True)
    ]
    whole = torch.nn.functional.scaled_dot_product_attention(q.double(), k.double(), v.double(), scale=0.3)
    return merged(parts)[0].double(), whole


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 9), st.sampled_from([8, 64]))
def test_parts_merge_to_the_whole(sizes: list[int], rows: int, width: int) -> None:
    q, k, v = random((1, 2, rows, width), (1, 2, sum(sizes), width), (1, 2, sum(sizes), width))
    # a float32 exponent is rounded in proportion to its size: with larger ones any order of summing is off by 1e-5
    output, whole = attended(q / 2, k / 2, v, sizes)
    torch.testing.assert_close(output, whole, rtol=1e-4, atol=1e-5)


def test_parts_whose_exponentials_overflow_merge_to_the_whole() -> None:
    q, k, v = random((1, 2, 9, 64), (1, 2, 62, 64), (1, 2, 62, 64))
    output, whole = attended(q * 4, k * 4, v, [11, 40, 11])
    assert float((0.3 * 16 * q @ k.transpose(2, 3)).max()) > 89  # exp of more is infinite
    torch.testing.assert_close(output, whole, rtol=1e-4, atol=1e-3)


def test_a_fused_kernel_works_on_every_cpu() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        chosen = kernels.choose(CPU, dtype, 64)
        assert chosen.dense is chosen.causal is chosen.biased is kernels.cpu_flash


def test_without_a_fused_kernel_arithmetic_takes_over(caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> Part:
        raise NotImplementedError("no such kernel on this device")

    chosen = kernels._first_right((broken,), CPU, torch.float32, 8, bias=True, causal=False)
    assert chosen is by_arithmetic
    assert "slower" in caplog.text


def test_a_kernel_that_computes_something_else_is_not_used() -> None:
    def wrong(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *rest: object) -> Part:
        output, total = by_arithmetic(q, k, v, None, False, 1.0)
        return output, total.exp()

    assert kernels._first_right((wrong,), CPU, torch.float32, 8, bias=False, causal=False) is by_arithmetic
