"""An event loop whose time is virtual and whose every step may be the last.

One ready callback runs at a time. Which task runs next is drawn, as if each of its awaits had taken longer or shorter;
callbacks that are no task's step keep the order that asyncio promises them. Time passes only while nothing is ready.
Work for other threads is done in this one, a moment later, and one piece after the other for each executor.
"""

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal
from weakref import WeakKeyDictionary

Order = Literal["oldest", "any", "starving"]
"""The order of steps: the oldest task's first, anybody's, or that of the task with the highest of priorities drawn for
it.
"""

_LATER = 0.02  # seconds that work in another thread may take
_NEW_PRIORITY = 0.02  # chance of one at each step
_MOST_STEPS = 300_000


class Killed(BaseException):
    """The process has ended."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock and order of steps are drawn.

    Args:
        draw: decides everything that is left open.
        order: of the steps of tasks.
        before_step: called with the number of each step, from 1, and what it is; may raise.
        around: given a write for the ledger's thread, and when it was asked for, does it; may raise.
    """

    def __init__(
        self,
        draw: random.Random,
        order: Order,
        before_step: Callable[[int, str], None],
        around: Callable[[float, Callable[[], Any]], Any],
    ) -> None:
        super().__init__()
        self.steps = 0
        self._draw, self._order = draw, order
        self._before_step, self._around = before_step, around
        self._virtual = 0.0
        self._born: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        self._priority: WeakKeyDictionary[asyncio.Task[Any], float] = WeakKeyDictionary()
        self._tasks = 0
        self._busy_until: dict[int, float] = {}
        self.set_task_factory(self._new_task)  # type: ignore[arg-type]  # its protocol is stricter than asyncio

    def time(self) -> float:
        return self._virtual

    def _new_task(self, _: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **named: Any) -> Any:
        self._tasks += 1
        task = asyncio.Task(work, loop=self, **named)
        self._born[task] = self._tasks
        self._priority[task] = self._draw.random()
        return task

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """Do the work in this thread, a moment later. Only the ledger's thread pool writes; a strategy's thread
        computes."""
        done, asked, writes = self.create_future(), self._virtual, isinstance(executor, ThreadPoolExecutor)

        def work() -> None:
            try:
                result = self._around(asked, lambda: func(*args)) if writes else func(*args)
            except Exception as error:  # whoever waits must hear of it
                if not done.cancelled():
                    done.set_exception(error)
            else:
                if not done.cancelled():
                    done.set_result(result)

        begins = max(self._virtual, self._busy_until.get(id(executor), 0.0))
        self._busy_until[id(executor)] = ends = begins + self._draw.random() * _LATER
        self.call_at(ends, work)
        return done

    def cancel_all(self) -> None:
        """Cancel every task and wait for them, the oldest first."""
        rest = sorted(asyncio.all_tasks(self), key=lambda task: self._born[task])
        for task in rest:
            task.cancel()
        if rest:
            self.run_until_complete(self.create_task(asyncio.wait(rest)))

    def run_ready(self) -> None:
        """Run what is ready, and what becomes so, until there is nothing."""
        own: Any = self
        while own._ready:
            self.run_until_complete(self.create_task(asyncio.sleep(0)))

    def _run_once(self) -> None:
        own: Any = self
        self._make_ready(own._ready, own._scheduled)
        handle = self._next(own._ready)
        if handle._cancelled:
            return
        self.steps += 1
        try:
            self._before_step(self.steps, _name(handle))
        except BaseException:
            own._ready.appendleft(handle)
            raise
        if self.steps > _MOST_STEPS:
            raise AssertionError("the search comes to no end")
        handle._run()

    def _make_ready(self, ready: "deque[Any]", scheduled: list[Any]) -> None:
        while scheduled and (scheduled[0]._cancelled or scheduled[0]._when <= self._virtual or not ready):
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            if not timer._cancelled:
                self._virtual = max(self._virtual, timer._when)
                ready.append(timer)
        if not ready:
            waiting = ", ".join(str(task) for task in asyncio.all_tasks(self))
            raise AssertionError(f"these tasks wait for ever: {waiting}")

    def _next(self, ready: "deque[Any]") -> Any:
        """Take one out: a task's step, or the first of all others."""
        first_other = None
        steps: list[tuple[int, asyncio.Task[Any], Any]] = []
        for handle in ready:
            task = _task(handle)
            if task is not None:
                steps.append((self._born[task], task, handle))
            elif first_other is None:
                first_other = handle
        chosen = self._choose(steps, first_other)
        ready.remove(chosen)
        return chosen

    def _choose(self, steps: list[tuple[int, asyncio.Task[Any], Any]], other: Any) -> Any:
        if not steps:
            return other
        steps.sort(key=lambda step: step[0])
        if self._order == "oldest":
            return other or steps[0][2]
        place = self._draw.randrange(len(steps) + (other is not None))
        if place == len(steps):
            return other
        if self._order == "any":
            return steps[place][2]
        if self._draw.random() < _NEW_PRIORITY:
            self._priority[steps[place][1]] = self._draw.random()
        return max(steps, key=lambda step: self._priority[step[1]])[2]


def _task(handle: Any) -> "asyncio.Task[Any] | None":
    """The task whose step this is; None where it is another callback."""
    owner = getattr(handle._callback, "__self__", None)
    return owner if isinstance(owner, asyncio.Task) else None


def _name(handle: Any) -> str:
    task = _task(handle)
    work = task.get_coro() if task is not None else handle._callback
    return str(getattr(work, "__qualname__", type(work).__name__))
