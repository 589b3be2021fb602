"""Prefixes are cut so that what they have in common is read once, and each is whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.shared_prefix.spans import in_order, spans

prefixes = st.lists(st.lists(st.integers(0, 2), max_size=9).map(tuple), max_size=6, unique=True)


@given(prefixes, st.integers(1, 4))
def test_spans_are_each_prefix_from_its_first_token_to_its_last(found: list[tuple[int, ...]], shortest: int) -> None:
    cut = spans(found, shortest)
    for index, prefix in enumerate(found):
        own = sorted((span for span in cut if index in span.members), key=lambda span: span.begin)
        assert [token for span in own for token in prefix[span.begin : span.end]] == list(prefix)
        assert [span.begin for span in own] == [0, *(span.end for span in own)][:-1]
        assert [span.depth for span in own] == list(range(len(own)))


@given(prefixes)
def test_a_token_that_prefixes_begin_with_in_common_is_in_one_span(found: list[tuple[int, ...]]) -> None:
    beginnings = {prefix[: length + 1] for prefix in found for length in range(len(prefix))}
    assert sum(span.end - span.begin for span in spans(found)) == len(beginnings)


@given(prefixes, st.integers(1, 4))
def test_members_of_a_span_are_neighbours_and_worth_it(found: list[tuple[int, ...]], shortest: int) -> None:
    place = {index: at for at, index in enumerate(in_order(found))}
    for span in spans(found, shortest):
        places = sorted(place[member] for member in span.members)
        assert places == list(range(places[0], places[0] + len(places)))
        assert len(places) == 1 or span.end - span.begin >= shortest


def test_nothing_is_shared_by_prefixes_that_differ_at_once() -> None:
    assert [span.members for span in spans([(1, 2), (2, 2)])] == [(0,), (1,)]
