"""Run asynchronous work from a script, a command or a notebook."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


def in_own_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it to its end; SIGTERM and Ctrl-C cancel it.

    Also where a loop runs already, as in a notebook: then in a thread, and an interrupt is passed on to it.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(_until_told(work))
        return
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = Future()

    async def main() -> None:
        task = asyncio.ensure_future(_until_told(work))
        started.set_result((asyncio.get_running_loop(), task))
        await task

    with ThreadPoolExecutor(1) as thread:
        finished = thread.submit(asyncio.run, main())
        loop, task = started.result()
        try:
            finished.result()
        except KeyboardInterrupt:
            if not finished.done():
                loop.call_soon_threadsafe(task.cancel)
            raise


async def _until_told(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # no main thread, or no signals here
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    await work()
