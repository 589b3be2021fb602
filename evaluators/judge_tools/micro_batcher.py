"""Single requests that come at nearly the same time, answered together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from configs.errors import DemosearchError, RunStopped
from evaluators.failures import JudgeFailed

I = TypeVar("I")  # noqa: E741 -- an item
A = TypeVar("A")

_Batch = list[tuple[I, asyncio.Future[A]]]
Perform = Callable[[Sequence[I]], AsyncIterator[tuple[int, A]]]
"""Yields the index and the answer of every item, each once, in any order."""


class Gatherer(Generic[I, A]):
    """Waits a moment for more of the same, then has all of it performed at once.

    A batch that fails is performed again in halves, without the items answered already, so that the item at fault fails
    alone and no other one with it.

    Args:
        perform: what is done with a batch.
        kind: only items of one kind go together; all of them when absent.
        linger: seconds that the first item of a batch waits for others.
        most: items of a batch, at most.
        paid: what is under way costs money, so that closing waits for it.
    """

    def __init__(
        self,
        perform: Perform[I, A],
        *,
        kind: Callable[[I], Hashable] | None = None,
        linger: float = 0.005,
        most: int = 256,
        paid: bool = False,
    ) -> None:
        self._perform = perform
        self._kind = kind or (lambda _: None)
        self._linger = linger
        self._most = most
        self._paid = paid
        self._waiting: dict[Hashable, _Batch[I, A]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def ask(self, item: I) -> A:
        """The item's answer.

        Raises:
            JudgeFailed: closed before it was answered.
            Whatever `perform` raises for this item alone.
        """
        if self._closed:
            raise _closed()
        loop, kind = asyncio.get_running_loop(), self._kind(item)
        future: asyncio.Future[A] = loop.create_future()
        if kind not in self._waiting:
            self._waiting[kind] = []
            loop.call_later(self._linger, self._send, kind, self._waiting[kind])
        batch = self._waiting[kind]
        batch.append((item, future))
        if len(batch) == self._most:
            self._send(kind, batch)
        return await future

    async def close(self) -> None:
        """Refuse what waits; give up what is under way, unless it is paid for. Idempotent; for good."""
        self._closed = True
        waiting, self._waiting = self._waiting, {}
        for batch in waiting.values():
            _fail(batch, _closed())
        tasks = list(self._tasks)
        for task in tasks:
            if not self._paid:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _send(self, kind: Hashable, batch: _Batch[I, A]) -> None:
        """Send a batch, once: when it is full, or when its time has come."""
        if self._waiting.get(kind) is not batch:
            return
        del self._waiting[kind]
        task = asyncio.create_task(self._conduct(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _conduct(self, batch: _Batch[I, A]) -> None:
        """Every future gets its answer or an error, whatever happens."""
        try:
            await self._answer(batch)
        except asyncio.CancelledError:
            _fail(batch, _closed())
            raise
        except Exception as error:  # whoever asked shall hear of it, not this task
            _fail(batch, error)

    async def _answer(self, batch: _Batch[I, A]) -> None:
        batch = [(item, future) for item, future in batch if not future.done()]  # nobody waits for a cancelled one
        if not batch:
            return
        try:
            async for index, answer in self._perform([item for item, _ in batch]):
                if not batch[index][1].done():
                    batch[index][1].set_result(answer)
            _fail(batch, JudgeFailed("the judge's model ended without an answer to this one"))
        except RunStopped:
            raise
        except DemosearchError as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            rest = [(item, future) for item, future in batch if not future.done()]
            half = (len(rest) + 1) // 2
            await self._answer(rest[:half])
            await self._answer(rest[half:])


def _fail(batch: _Batch[I, A], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)


def _closed() -> JudgeFailed:
    return JudgeFailed("the judge has been closed; make a new one to judge again")
