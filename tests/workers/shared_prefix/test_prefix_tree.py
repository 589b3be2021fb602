"""Prefixes are computed once, forked without copying, and forgotten when memory is short."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workers.engines.reference import llama
from workers.shared_prefix import kernels
from workers.shared_prefix.prefix_tree import PrefixTree
from workers.shared_prefix.segments import Prefix

KERNELS = kernels.choose(torch.device("cpu"), torch.float32, 8)
BYTES = 2 * 2 * 2 * 8 * 4  # a token's keys and values: 2 layers, 2 heads, width 8, fp32


def tree_of(budget: int = 2**30) -> PrefixTree:
    return PrefixTree(llama(), KERNELS, budget, chunk=7)


def whole(prefix: Prefix, layer: int) -> torch.Tensor:
    """Keys and values of a layer, [2, key heads, tokens, D]."""
    keys = torch.cat([k for k, _ in prefix[layer]], dim=2)
    return torch.cat([keys, torch.cat([v for _, v in prefix[layer]], dim=2)])


def of_the_library(model: Any, tokens: list[int]) -> list[torch.Tensor]:
    with torch.inference_mode():
        cache = model(torch.tensor([tokens]), use_cache=True).past_key_values
    return [torch.cat([layer.keys, layer.values]) for layer in cache.layers]


prompts = st.lists(st.lists(st.integers(3, 5), min_size=1, max_size=24), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(prompts, st.sampled_from([0, 20 * BYTES, 2**30]))
def test_keys_and_values_are_those_of_the_model_whatever_was_read_before(asked: list[list[int]], budget: int) -> None:
    tree = tree_of(budget)
    for tokens in asked:
        prefix = tree.acquire(tokens)
        for layer, expected in enumerate(of_the_library(llama(), tokens)):
            torch.testing.assert_close(whole(prefix, layer), expected, rtol=1e-4, atol=1e-4)
        assert tree.bytes() <= max(budget, len(tokens) * BYTES)


def test_a_prefix_that_extends_another_reads_only_what_is_new() -> None:
    tree = tree_of()
    parent = tree.acquire(list(range(3, 33)))
    child = tree.acquire(list(range(3, 43)))
    assert tree.tokens_read == 40
    assert child[0][0][0].data_ptr() == parent[0][0][0].data_ptr()
    assert tree.bytes() == 40 * BYTES


def test_prefixes_that_part_in_the_middle_share_what_comes_before_without_a_copy() -> None:
    tree = tree_of()
    first = tree.acquire([*range(3, 23), 50, 51])
    second = tree.acquire([*range(3, 23), 60, 61, 62])
    assert tree.tokens_read == 25
    assert second[1][0][0].data_ptr() == first[1][0][0].data_ptr()
    assert tree.bytes() == 25 * BYTES


def test_a_known_prefix_costs_nothing() -> None:
    tree = tree_of()
    tree.acquire([5, 6, 7, 8, 9])
    tree.acquire([5, 6, 7])
    tree.acquire([5, 6, 7, 8, 9])
    assert tree.tokens_read == 5


def test_the_least_recently_used_goes_first() -> None:
    tree = tree_of(budget=25 * BYTES)
    old, kept, new = ([start] * 10 for start in (3, 4, 5))
    for tokens in (old, kept, old, kept, new):
        tree.acquire(tokens)
    before = tree.tokens_read
    tree.acquire(kept)
    assert tree.tokens_read == before
    tree.acquire(old)
    assert tree.tokens_read == before + 10


def test_prefixes_in_use_stay_whatever_the_budget() -> None:
    tree = tree_of(budget=0)
    first, second, third = [3] * 10, [3] * 5 + [4] * 6, [5] * 7
    tree.acquire(first)
    tree.acquire(second, in_use=[first])
    tree.acquire(third, in_use=[first, second])
    assert tree.bytes() == (10 + 6 + 7) * BYTES
    before = tree.tokens_read
    tree.acquire(first, in_use=[second, third])
    assert tree.tokens_read == before
    tree.acquire(third, in_use=[])
    assert tree.bytes() == 7 * BYTES


def test_what_shares_its_memory_with_a_prefix_in_use_is_not_dropped_in_vain() -> None:
    tree = tree_of(budget=20 * BYTES)
    tree.acquire([*[3] * 10, *[4] * 8])
    running = tree.acquire([3] * 10)  # the beginning of the same tensors
    tree.acquire([5] * 9, in_use=[[3] * 10])
    assert tree.bytes() == (18 + 9) * BYTES
    assert tree.acquire([3] * 10, in_use=[[3] * 10])[0][0][0].data_ptr() == running[0][0][0].data_ptr()


@settings(max_examples=40, deadline=None)
@given(prompts, st.integers(0, 60))
def test_prefixes_fit_when_the_tree_that_holds_them_all_is_within_its_budget(asked: list[list[int]], most: int) -> None:
    tree = tree_of(budget=most * BYTES)
    for number, tokens in enumerate(asked):
        tree.acquire(tokens, in_use=asked[:number])
    assert tree.fits(asked) == (tree.bytes() <= most * BYTES)


def test_half_of_a_split_node_does_not_keep_the_other_half_in_memory() -> None:
    tree = tree_of(budget=30 * BYTES)
    tree.acquire([*[3] * 20, *[4] * 8])
    tree.acquire([*[3] * 20, *[5] * 8])
    assert tree.bytes() == 28 * BYTES


def test_what_does_not_fit_at_all_is_still_answered() -> None:
    tree = tree_of(budget=0)
    assert whole(tree.acquire([3] * 12), 0).shape[2] == 12
