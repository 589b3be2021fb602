"""Blocking work that may hang for ever, awaited without blocking anything else."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


def running_future() -> Future[Any]:
    """A future that nobody can cancel, so that a thread can always fulfil it."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


class DaemonThread(Executor):
    """A thread for one piece of work after the other; unlike other executors it never keeps the interpreter from
    exiting.
    """

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._live, daemon=True).start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do the work after all that was given before; its exception, of whatever kind, is the future's."""
        outcome: Future[T] = running_future()

        def fulfil() -> None:
            try:
                outcome.set_result(fn(*args, **kwargs))
            except BaseException as error:  # whoever waits must hear of it
                outcome.set_exception(error)

        self._work.put(fulfil)
        return outcome

    async def call(self, work: Callable[[], T], seconds: float) -> T:
        """The work's result, or its exception. TimeoutError after `seconds`; the work itself cannot be stopped."""
        outcome = self.submit(work)
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(outcome)

    def end(self) -> None:
        """The thread ends after the work given so far."""
        self._work.put(None)

    def _live(self) -> None:
        while (work := self._work.get()) is not None:
            work()
