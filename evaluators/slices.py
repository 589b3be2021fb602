"""Long work on the event loop, cut so that everybody else gets a turn."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar
from weakref import WeakKeyDictionary

_SIZE = 500  # a few hundredths of a second for what an answer takes
_T = TypeVar("_T")
_waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, deque[asyncio.Future[None]]] = WeakKeyDictionary()


async def slices(items: Sequence[_T]) -> AsyncIterator[Sequence[_T]]:
    """Yield all items, in their order, at most 500 at a time.

    Between two slices whatever else is ready runs; and of all who go through more than one slice, one has the next, so
    that a dozen trials of thousands of questions hold up nobody for a dozen slices. What fits into one slice comes at
    once.
    """
    for start in range(0, len(items), _SIZE):
        if len(items) > _SIZE:
            await _turn()
        yield items[start : start + _SIZE]


async def _turn() -> None:
    """Wait for a pass of the event loop that is nobody else's, first come, first served."""
    loop = asyncio.get_running_loop()
    queue = _waiting.setdefault(loop, deque())
    mine = loop.create_future()
    queue.append(mine)
    if len(queue) == 1:
        loop.call_soon(_wake_next, loop)
    await mine


def _wake_next(loop: asyncio.AbstractEventLoop) -> None:
    queue = _waiting[loop]
    while queue and (first := queue.popleft()).cancelled():
        pass
    if not first.cancelled():
        first.set_result(None)
    if queue:
        loop.call_soon(_wake_next, loop)
