"""Several things at once, of which the error that explains the others counts; and work that must come to its end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

from configs.errors import AlreadyClosed, DemosearchError


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """An `asyncio.TaskGroup` that raises one error itself: the one that explains the others.

    The first error of a group makes everything else end, in errors of its own, which may be noticed before it: a key is
    refused, the model is closed, and whoever asks the model next is told that it is closed.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        error = min(_errors(group), key=_rank)  # the first of those that rank alike
    else:
        return
    raise error


async def to_its_end(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do work that one cancellation of the caller does not cut short; it is raised afterwards. Another one does."""
    task = asyncio.get_running_loop().create_task(work())
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await task
        raise


def _errors(error: BaseException) -> Iterator[BaseException]:
    """The errors of a group and of the groups in it, in order."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _errors(inner)
    else:
        yield error


def _rank(error: BaseException) -> int:
    """0 for an interruption, 1 for a sentence that says what to do, 2 for a bug, 3 for a consequence."""
    if isinstance(error, AlreadyClosed):
        return 3
    if isinstance(error, DemosearchError):
        return 1
    return 2 if isinstance(error, Exception) else 0
