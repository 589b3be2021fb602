"""Blocking work that may hang for ever, awaited without blocking anything else."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


def running_future() -> Future[Any]:
    """A future that nobody can cancel, so that a thread can always fulfil it."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


class DaemonThread:
    """Does one piece of work after the other; unlike an executor it never keeps the interpreter from exiting."""

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._live, daemon=True).start()

    async def call(self, work: Callable[[], T], seconds: float) -> T:
        """The work's result, or its exception. TimeoutError after `seconds`; the work itself cannot be stopped."""
        outcome: Future[T] = running_future()

        def fulfil() -> None:
            try:
                outcome.set_result(work())
            except BaseException as error:  # whoever waits must hear of it
                outcome.set_exception(error)

        self._work.put(fulfil)
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(outcome)

    def end(self) -> None:
        """The thread ends after the work given so far."""
        self._work.put(None)

    def _live(self) -> None:
        while (work := self._work.get()) is not None:
            work()
