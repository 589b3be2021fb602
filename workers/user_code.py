"""Calls of code that is not ours: bounded in time, and nothing that it raises gets past the call.

It runs in daemon threads, so that a call which never returns keeps nobody from ending the process. StopIteration would
be lost on its way through a future, SystemExit would end the run with exit code 0: each becomes a `UserCodeFailed`.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from workers.daemon_thread import DaemonThread, running_future

T = TypeVar("T")

_LONGEST = 500  # characters of an error's text
_ALIVE = 1.0  # seconds in which an event loop must answer
_CAME_BACK = 70  # exit code


class UserCodeFailed(Exception):
    """The code raised; the text says what."""


class UserCodeTooSlow(UserCodeFailed):
    """The code has not returned in time; it still runs, and cannot be stopped."""


def described(error: BaseException) -> str:
    """Kind and text of an error, also where its text raises itself or no file would take it."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # whatever it is, there is no text
        text = "(its text raises, too)"
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
    return f"{type(error).__name__}: {text}".rstrip(": ").encode("utf-8", "replace").decode()


class _Outcome:
    """What a call came to; an error is a value here, since futures do not take every kind."""

    __slots__ = ("error", "value")

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value, self.error = value, error

    def get(self) -> Any:
        if self.error is not None:
            raise UserCodeFailed(f"raised {described(self.error)}") from self.error
        return self.value


class UserThreads:
    """Plain functions, each call in a thread of its own for as long as it lasts; threads are used again."""

    def __init__(self) -> None:
        self._idle: list[DaemonThread] = []

    async def call(self, work: Callable[[], T], seconds: float) -> T:
        """What the work returns.

        Raises:
            UserCodeFailed: it raised.
            UserCodeTooSlow: it has not returned after so many seconds; its thread is lost.
        """
        thread = self._idle.pop() if self._idle else DaemonThread()
        try:
            outcome = await thread.call(lambda: _tried(work), seconds)
        except TimeoutError:
            thread.end()
            raise UserCodeTooSlow(f"has not returned after {seconds:g} s") from None
        except asyncio.CancelledError:
            thread.end()
            raise
        self._idle.append(thread)
        value: T = outcome.get()
        return value

    def close(self) -> None:
        """End the idle threads; may be called again."""
        while self._idle:
            self._idle.pop().end()


def call_in_thread(work: Callable[[], T], seconds: float) -> T:
    """See `UserThreads.call`; this one is for callers without an event loop. The first interrupt is noted by whoever
    handles it, the second one ends the wait."""
    outcome: Future[_Outcome] = running_future()
    threading.Thread(target=lambda: outcome.set_result(_tried(work)), daemon=True).start()
    try:
        value: T = outcome.result(seconds).get()
    except TimeoutError:
        raise UserCodeTooSlow(f"has not returned after {seconds:g} s") from None
    return value


class UserLoop:
    """Async functions, all of them in one event loop that is not ours, so that one which blocks holds up no others than
    its own kind. A loop that is blocked for good is left alone, and the next call gets another one."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    async def call(self, work: Callable[[], Awaitable[T]], seconds: float) -> T:
        """See `UserThreads.call`; this one calls an async function, and cancels one that is too slow where it can."""
        loop = self._loop = self._loop or _started_loop()
        outcome: Future[_Outcome] = running_future()
        tasks: list[asyncio.Task[None]] = []
        loop.call_soon_threadsafe(lambda: tasks.append(loop.create_task(_awaited(work, outcome))))
        try:
            async with asyncio.timeout(seconds):
                value: T = (await asyncio.wrap_future(outcome)).get()
                return value
        except TimeoutError:
            await self._give_up(loop, tasks)
            raise UserCodeTooSlow(f"has not returned after {seconds:g} s") from None
        except asyncio.CancelledError:
            loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
            raise

    async def _give_up(self, loop: asyncio.AbstractEventLoop, tasks: list[asyncio.Task[None]]) -> None:
        alive: Future[None] = running_future()
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
        loop.call_soon_threadsafe(alive.set_result, None)
        try:
            async with asyncio.timeout(_ALIVE):
                await asyncio.wrap_future(alive)
        except TimeoutError:
            if self._loop is loop:
                self._loop = None

    def close(self) -> None:
        """The loop ends when it can. Idempotent."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(_end)


def _tried(work: Callable[[], Any]) -> _Outcome:
    process = os.getpid()
    try:
        outcome = _Outcome(work())
    except BaseException as error:  # SystemExit, StopIteration, GeneratorExit: no way out of this thread
        outcome = _Outcome(error=error)
    _end_child(process)
    return outcome


def _end_child(parent: int) -> None:
    """End a process that the code has forked and that came back from the call: it would live on as another one of us,
    and hold the lock of the run."""
    if os.getpid() != parent:
        os._exit(_CAME_BACK)


async def _awaited(work: Callable[[], Awaitable[Any]], outcome: Future[_Outcome]) -> None:
    process = os.getpid()
    try:
        result = _Outcome(await work())
    except BaseException as error:  # as `_tried`; a cancelled call has nobody who waits for it
        result = _Outcome(error=error)
    _end_child(process)
    outcome.set_result(result)


class _Ended(SystemExit):
    """The loop is needed no longer; asyncio lets no other kind of exception out of it."""


def _end() -> None:
    raise _Ended


def _started_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()

    def live() -> None:
        asyncio.set_event_loop(loop)
        while True:
            try:
                loop.run_forever()  # again and again: a task of the user's own may stop it
            except _Ended:
                break
            except BaseException:  # noqa: S112 -- SystemExit in a task of the user's own: the others go on
                continue
        loop.close()

    threading.Thread(target=live, daemon=True).start()
    return loop
