"""A TextModel or RewardModel in this process: laptops, debugging, machines without Ray."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from typing import cast

from workers.activity import Timesheet, WorkerActivity, WorkersActivity
from workers.engine_thread import EngineThread
from workers.failures import ModelClosed
from workers.messages import Answered, Begun, Ended, Message
from workers.prompt import A_co, Completion, Continuations, Decoding, Likelihood, PromptBlock, Rating, Reward, Task
from workers.task import new_tokens
from workers.text_model import LoadEngine, ModelCard


@dataclass(slots=True)
class _Job:
    """A block under way.

    Attributes:
        number: counted from 1 in the order asked.
        asked, answered: prompts.
        began: when the engine began with it.
    """

    number: int
    asked: int
    answered: int = 0
    began: float | None = None
    outbox: asyncio.Queue[Answered | Ended | None] = field(default_factory=asyncio.Queue)


class LocalWorker:
    """One engine in one daemon thread; blocks are begun in the order asked, and answered together where the engine can
    (see `EngineThread`).

    An engine's unexpected exception (a bug, a broken GPU) comes out of the iterator as it is: nothing here could
    restart the process it happened in.
    """

    def __init__(self, load_engine: LoadEngine) -> None:
        self._load_engine = load_engine
        self._thread: EngineThread | None = None
        self._jobs: dict[int, _Job] = {}
        self._numbers = count(1)
        self._place = ""
        self._timesheet = Timesheet()
        self._tokens = self._passes = self._drafted = 0
        self._closed = False

    async def start(self) -> ModelCard:
        card = await asyncio.wrap_future(self._engine_thread().card)
        self._place = card.device
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
        for job in self._jobs.values():
            job.outbox.put_nowait(None)

    def activity(self) -> WorkersActivity:
        alive, busy = self._note()
        behind = [job.asked for job in self._jobs.values() if job.began is None]
        worker = self._worker()
        return WorkersActivity(
            alive,
            busy,
            queued=len(behind),
            tokens=self._tokens,
            seconds_alive=self._timesheet.alive,
            seconds_busy=self._timesheet.busy,
            waiting=sum(behind),
            answering=worker.asked - worker.answered,
            workers=(worker,) if alive else (),
        )

    def _worker(self) -> WorkerActivity:
        begun = [(job.began, job) for job in self._jobs.values() if job.began is not None]
        began, oldest = begun[0] if begun else (time.monotonic(), None)
        return WorkerActivity(
            number=1,
            place=self._place,
            block=None if oldest is None else oldest.number,
            more_blocks=len(begun[1:]),
            asked=sum(job.asked for _, job in begun),
            answered=sum(job.answered for _, job in begun),
            seconds=time.monotonic() - began,
            tokens=self._tokens,
            passes=self._passes,
            drafted=self._drafted,
            seconds_alive=self._timesheet.alive,
            seconds_busy=self._timesheet.busy,
        )

    def _note(self) -> tuple[int, int]:
        alive, busy = int(self._is_alive()), min(len(self._jobs), 1)
        self._timesheet.note(alive, busy)
        return alive, busy

    async def _perform(self, block: PromptBlock, task: Task[A_co]) -> AsyncIterator[tuple[int, A_co]]:
        await self.start()
        thread, number = self._engine_thread(), next(self._numbers)
        self._jobs[number] = job = _Job(number, len(block.suffixes))
        self._note()
        thread.submit(number, block, task)
        try:
            while isinstance(message := await job.outbox.get(), Answered):
                job.answered += 1
                self._tokens += new_tokens(message.answer)
                self._passes += message.passes
                self._drafted += message.drafted
                yield message.index, cast(A_co, message.answer)
            if message is None:
                raise ModelClosed()
            if message.error is not None:
                raise message.error
        finally:
            del self._jobs[number]
            self._note()
            thread.cancel(number)

    def _is_alive(self) -> bool:
        if self._thread is None or self._closed:
            return False
        return self._thread.card.done() and self._thread.card.exception() is None

    def _engine_thread(self) -> EngineThread:
        if self._closed:
            raise ModelClosed()
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = EngineThread(self._load_engine, lambda message: self._hear(loop, message))
        return self._thread

    def _hear(self, loop: asyncio.AbstractEventLoop, message: Message) -> None:
        """Hear a message, in the engine's thread."""
        try:
            loop.call_soon_threadsafe(self._deliver, message)
        except RuntimeError:  # the loop has been closed: nobody listens any more
            if self._thread is not None:
                self._thread.stop()

    def _deliver(self, message: Message) -> None:
        job = self._jobs.get(message.job)
        if job is None:
            return
        if isinstance(message, Begun):
            job.began = time.monotonic()
        else:
            job.outbox.put_nowait(message)
