"""Run asynchronous work from a script, a command or a notebook, and end it when the process is told to.

The first SIGINT, SIGTERM or SIGHUP, or the warning of a batch system (SIGUSR1, SIGUSR2, SIGXCPU), cancels the work,
which waits for what is being paid for and keeps it. The second gives that up. The third, and a work that has not ended
soon after the second, ends the process at once: everything that was acknowledged is on disk by then, and threads that
hang, or an interpreter that is interrupted while it shuts down, would only do harm.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import Any

from configs.errors import INTERRUPTED, AlreadyClosed, RunStopped

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WARNINGS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)
"""What batch systems send before they kill a job, where that is asked for: Slurm's `--signal`, LSF's `-wa`, Grid
Engine's `-notify`."""
_GRACE = 15.0  # seconds after the second signal until the process is ended from outside

Work = Callable[[], Coroutine[Any, Any, None]]


def in_own_loop(work: Work, at_once: Callable[[], None] = lambda: None) -> None:
    """Run the work to its end, unless signals end it before; see the module.

    Also where a loop runs already, as in a notebook: then in a thread, and no signal ends the process.

    Args:
        at_once: called before the process is ended without waiting for the work; must not block for long.

    Raises:
        asyncio.CancelledError, KeyboardInterrupt: a signal has ended the work.
        RunStopped: what the work raised, also while it was given up.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        stop = _Stop(at_once)
        with stop.listening(), stop.telling_what_failed():
            asyncio.run(stop.follow(work))
        return
    stop = _Stop(None)
    with stop.listening(), ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, stop.follow(work)).result()


class _Stop:
    """What the signals do, counted from the first.

    Args:
        at_once: called before the process is ended; None where signals may not end it.
    """

    def __init__(self, at_once: Callable[[], None] | None) -> None:
        self._at_once = at_once
        self._heard = 0
        self._cancel: Callable[[], object] | None = None
        self._late: threading.Timer | None = None
        self._failed: RunStopped | None = None

    async def follow(self, work: Work) -> None:
        """Do the work in a task that the first signal cancels."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._cancel = partial(loop.call_soon_threadsafe, task.cancel)
        if self._heard:
            self._cancel()
        try:
            await work()
        except AlreadyClosed:
            if self._heard:  # it is a consequence
                raise asyncio.CancelledError from None
            raise
        except RunStopped as failed:
            if self._heard < 2:
                raise
            self._failed = failed  # asyncio.run may be raising what the second signal has raised

    @contextmanager
    def telling_what_failed(self) -> Iterator[None]:
        """Raise what the work has raised while it was given up, in the place of the signal that gave it up."""
        try:
            yield
        except KeyboardInterrupt:
            if self._failed is not None:
                raise self._failed from None
            raise
        if self._failed is not None:  # the signal has met the work itself, which raised this in its place
            raise self._failed

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle signals here while this is open; in a thread that is not the main one nothing is changed."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in SIGNALS}
        if before[signal.SIGHUP] is signal.SIG_IGN:  # nohup: the terminal may go
            del before[signal.SIGHUP]
        before |= {number: signal.SIG_DFL for number in WARNINGS if signal.getsignal(number) is signal.SIG_DFL}
        for number in before:
            signal.signal(number, self._hear)
        try:
            yield
        finally:
            for number, handler in before.items():
                if number == signal.SIGXCPU and signal.getsignal(number) is signal.SIG_IGN:
                    continue  # the next one would end the process
                signal.signal(number, handler)
            if self._late is not None:
                self._late.cancel()

    def _hear(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 -- signal's interface
        if number == signal.SIGXCPU:  # Linux sends it again each second of the processor
            signal.signal(number, signal.SIG_IGN)
        self._heard += 1
        if self._heard == 1:
            if self._cancel is not None:
                with suppress(RuntimeError):  # the work has ended a moment ago
                    self._cancel()
            return
        if self._heard > 2:
            self._end_process()
        elif self._at_once is not None:
            self._late = threading.Timer(_GRACE, self._end_process)
            self._late.daemon = True
            self._late.start()
        raise KeyboardInterrupt

    def _end_process(self) -> None:
        if self._at_once is not None:
            try:
                self._at_once()
            finally:
                os._exit(INTERRUPTED)
