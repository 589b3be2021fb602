"""What several prefixes have in common, as a tree of spans: each is read once for all rows behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

Tokens = Sequence[int]


@dataclass(frozen=True, slots=True)
class PrefixSpan:
    """Consecutive tokens that the same prefixes have.

    Attributes:
        begin, end: positions, the last one not included.
        members: indices of the prefixes; neighbours in `in_order`.
        depth: spans before it on the way from the first token.
    """

    begin: int
    end: int
    members: tuple[int, ...]
    depth: int


def in_order(prefixes: Sequence[Tokens]) -> list[int]:
    """Indices of the prefixes, such that those with a common beginning are neighbours."""
    return sorted(range(len(prefixes)), key=lambda index: list(prefixes[index]))


def spans(prefixes: Sequence[Tokens], shortest: int = 1) -> list[PrefixSpan]:
    """Cut different prefixes into spans that together are each of them, from the first token to the last.

    Args:
        shortest: tokens that are worth a span of several prefixes; with fewer in common, each has its own.
    """
    return list(_spans(prefixes, in_order(prefixes), 0, 0, 0, max(1, shortest))) if prefixes else []


def _spans(
    prefixes: Sequence[Tokens], members: list[int], begin: int, matched: int, depth: int, shortest: int
) -> Iterator[PrefixSpan]:
    """Spans of neighbours that have the first `matched` tokens in common, of which the first `begin` are covered."""
    if len(members) == 1:
        if begin < len(prefixes[members[0]]):
            yield PrefixSpan(begin, len(prefixes[members[0]]), tuple(members), depth)
        return
    common = _common(prefixes[members[0]], prefixes[members[-1]], matched)
    if common - begin >= shortest:
        yield PrefixSpan(begin, common, tuple(members), depth)
        begin, depth = common, depth + 1
    longer = [member for member in members if len(prefixes[member]) > common]
    for member in members:
        if len(prefixes[member]) == common > begin:
            yield PrefixSpan(begin, common, (member,), depth)
    for _, alike in groupby(longer, key=lambda member: prefixes[member][common]):
        yield from _spans(prefixes, list(alike), begin, common, depth, shortest)


def _common(first: Tokens, last: Tokens, common: int) -> int:
    """Tokens that both begin with; what the extremes of an order have in common, all between them have."""
    least = min(len(first), len(last))
    return next((at for at in range(common, least) if first[at] != last[at]), least)
