"""Parts of a softmax, merged by their log-sum-exps, are the softmax."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.shared_prefix import kernels

CPU = torch.device("cpu")


def random(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(*shape, generator=generator) * 2 for shape in shapes]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.integers(1, 9), st.sampled_from([8, 64]))
def test_parts_merge_to_the_whole(sizes: list[int], rows: int, width: int) -> None:
    q, k, v = random((1, 2, rows, width), (1, 2, sum(sizes), width), (1, 2, sum(sizes), width))
    chosen = kernels.choose(CPU, torch.float32, width)
    parts = [
        chosen.shared(q, keys, values, 0.3)
        for keys, values in zip(torch.split(k, sizes, dim=2), torch.split(v, sizes, dim=2), strict=True)
    ]
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, scale=0.3)
    torch.testing.assert_close(kernels.merged(parts)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("tokens", "splits"), [(4096, 16), (4112, 16), (4104, 8), (300, 1)])
def test_a_segment_cut_for_a_gpu_gives_the_same(tokens: int, splits: int) -> None:
    q, k, v = random((1, 2, 6, 16), (1, 2, tokens, 16), (1, 2, tokens, 16))
    chosen = kernels.choose(CPU, torch.float32, 16)
    on_gpu = dataclasses.replace(chosen, multiprocessors=132)
    assert on_gpu._splits(2, 6, tokens) == splits
    cut, whole = on_gpu.shared(q, k, v, 0.25), chosen.shared(q, k, v, 0.25)
    for found, expected in zip(cut, whole, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_fused_kernel_works_on_every_cpu() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        chosen = kernels.choose(CPU, dtype, 64)
        assert chosen.dense is chosen.causal is chosen.biased is kernels.cpu_flash


def test_without_a_fused_kernel_arithmetic_takes_over(caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> kernels.Part:
        raise NotImplementedError("no such kernel on this device")

    chosen = kernels._first_right((broken,), CPU, torch.float32, 8, bias=True, causal=False)
    assert chosen is kernels.by_arithmetic
    assert "slower" in caplog.text


def test_a_kernel_that_computes_something_else_is_not_used() -> None:
    def wrong(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *rest: object) -> kernels.Part:
        output, total = kernels.by_arithmetic(q, k, v, None, False, 1.0)
        return output, total.exp()

    assert kernels._first_right((wrong,), CPU, torch.float32, 8, bias=False, causal=False) is kernels.by_arithmetic
