"""A TextModel or RewardModel in this process: laptops, debugging, machines without Ray."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import cast

from workers.activity import Timesheet, WorkersActivity
from workers.engine_thread import Answered, EngineThread, Message
from workers.failures import WorkersUnavailable
from workers.prompt import A_co, Completion, Continuations, Decoding, Likelihood, PromptBlock, Rating, Reward, Task
from workers.task import new_tokens
from workers.text_model import LoadEngine, ModelCard


class LocalWorker:
    """One engine in one daemon thread; blocks are answered one after the other, in the order asked.

    An engine's unexpected exception (a bug, a broken GPU) comes out of the iterator as it is: nothing here could
    restart the process it happened in.
    """

    def __init__(self, load_engine: LoadEngine) -> None:
        self._load_engine = load_engine
        self._thread: EngineThread | None = None
        self._outboxes: dict[int, asyncio.Queue[Message | None]] = {}
        self._numbers = count()
        self._timesheet = Timesheet()
        self._tokens = 0
        self._closed = False

    async def start(self) -> ModelCard:
        card = await asyncio.wrap_future(self._engine_thread().card)
        self._note()
        return card

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        await self.start()
        return await asyncio.wrap_future(self._engine_thread().count_tokens(block))

    def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:
        return self._perform(block, decoding)

    def score(self, block: PromptBlock, continuations: Continuations) -> AsyncIterator[tuple[int, Likelihood]]:
        return self._perform(block, continuations)

    def rate(self, block: PromptBlock) -> AsyncIterator[tuple[int, Reward]]:
        return self._perform(block, Rating())

    async def close(self) -> None:
        self._closed = True
        self._note()
        if self._thread is not None:
            self._thread.stop()
        for outbox in self._outboxes.values():
            outbox.put_nowait(None)

    def activity(self) -> WorkersActivity:
        alive, busy = self._note()
        return WorkersActivity(
            alive,
            busy,
            queued=len(self._outboxes) - busy,
            tokens=self._tokens,
            seconds_alive=self._timesheet.alive,
            seconds_busy=self._timesheet.busy,
        )

    def _note(self) -> tuple[int, int]:
        alive, busy = int(self._is_alive()), min(len(self._outboxes), 1)
        self._timesheet.note(alive, busy)
        return alive, busy

    async def _perform(self, block: PromptBlock, task: Task[A_co]) -> AsyncIterator[tuple[int, A_co]]:
        await self.start()
        thread, job, outbox = self._engine_thread(), next(self._numbers), asyncio.Queue[Message | None]()
        self._outboxes[job] = outbox
        self._note()
        thread.submit(job, block, task)
        try:
            while isinstance(message := await outbox.get(), Answered):
                self._tokens += new_tokens(message.answer)
                yield message.index, cast(A_co, message.answer)
            if message is None:
                raise _closed()
            if message.error is not None:
                raise message.error
        finally:
            del self._outboxes[job]
            self._note()
            thread.cancel(job)

    def _is_alive(self) -> bool:
        if self._thread is None or self._closed:
            return False
        return self._thread.card.done() and self._thread.card.exception() is None

    def _engine_thread(self) -> EngineThread:
        if self._closed:
            raise _closed()
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = EngineThread(self._load_engine, lambda message: self._hear(loop, message))
        return self._thread

    def _hear(self, loop: asyncio.AbstractEventLoop, message: Message) -> None:
        """In the engine's thread."""
        try:
            loop.call_soon_threadsafe(self._deliver, message)
        except RuntimeError:  # the loop has been closed: nobody listens any more
            if self._thread is not None:
                self._thread.stop()

    def _deliver(self, message: Message) -> None:
        outbox = self._outboxes.get(message.job)
        if outbox is not None:
            outbox.put_nowait(message)


def _closed() -> WorkersUnavailable:
    return WorkersUnavailable("the model has been closed; make a new one to generate again")
