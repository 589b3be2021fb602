"""Long work on the event loop, cut so that everybody else gets a turn."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

_SIZE = 500  # a few hundredths of a second for what an answer takes
_T = TypeVar("_T")


async def slices(items: Sequence[_T]) -> AsyncIterator[Sequence[_T]]:
    """All items, in their order, at most 500 at a time; between two slices whatever else is ready runs."""
    for start in range(0, len(items), _SIZE):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + _SIZE]
