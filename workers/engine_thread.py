"""One engine in one daemon thread: jobs go in, messages come out. What LocalWorker and Ray's actors have in common."""

import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass

from workers import ENGINE_THREAD
from workers.daemon_thread import running_future
from workers.failures import ModelClosed
from workers.messages import Answered, Begun, Ended, Message
from workers.prompt import Answer, Decoding, PromptBlock, Task
from workers.task import perform
from workers.text_model import Batch, BatchingEngine, Engine, LoadEngine, ModelCard, RewardEngine


@dataclass(frozen=True, slots=True)
class _Job:
    number: int
    block: PromptBlock
    task: Task[Answer]


@dataclass(frozen=True, slots=True)
class _Count:
    block: PromptBlock
    lengths: Future[tuple[int, ...]]


class EngineThread:
    """Loads an engine and lives with it. The thread is a daemon, so no engine can keep the interpreter from exiting.

    Jobs are done one after the other, in the order submitted. Where the engine can, a job that is next in line joins
    those that run, if it is decoded as they are and the engine has room for it.

    Args:
        load: called in the thread; its card, or whatever it raises, arrives in `card`.
        hear: called in the thread with every message; must neither block nor raise.
    """

    def __init__(self, load: LoadEngine, hear: Callable[[Message], None]) -> None:
        self.card: Future[ModelCard] = running_future()
        self._hear = hear
        self._waiting: deque[_Job] = deque()
        self._counts: deque[_Count] = deque()
        self._running: set[int] = set()
        self._given_up: set[int] = set()  # of those that run
        self._stopping = False
        self._changed = threading.Condition()
        threading.Thread(target=self._live, args=(load,), name=ENGINE_THREAD, daemon=True).start()

    def submit(self, job: int, block: PromptBlock, task: Task[Answer]) -> None:
        """Queue a job; the engine begins jobs in this order. `job` is a number never used before."""
        with self._changed:
            self._waiting.append(_Job(job, block, task))
            self._changed.notify()

    def count_tokens(self, block: PromptBlock) -> Future[tuple[int, ...]]:
        """Answered before the next job, or between two steps or answers of those that run."""
        count = _Count(block, running_future())
        with self._changed:
            self._counts.append(count)
            self._changed.notify()
        return count.lengths

    def withdraw(self, job: int) -> bool:
        """Take a job back that has not begun; False when it has. No message will speak of a job taken back."""
        with self._changed:
            rest = deque(other for other in self._waiting if other.number != job)
            withdrawn = len(rest) < len(self._waiting)
            self._waiting = rest
        return withdrawn

    def cancel(self, job: int) -> None:
        """End a job early: at once when it has not begun, else after the step or answer being made. Unknown:
        nothing."""
        if self.withdraw(job):
            self._hear(Ended(job))
            return
        with self._changed:
            if job in self._running:
                self._given_up.add(job)

    def stop(self) -> None:
        """Drop all jobs; the thread ends, and lets go of the engine, after the step or answer being made."""
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._given_up |= self._running
            self._changed.notify()
        while (count := self._next_count()) is not None:
            count.lengths.set_exception(ModelClosed("the model was closed while it counted tokens"))

    def _live(self, load: LoadEngine) -> None:
        try:
            engine = load()
            self.card.set_result(engine.card)
        except BaseException as error:  # whoever waits for the card must hear, even of a SystemExit
            self.card.set_exception(error)
            return
        while (job := self._next_job(engine)) is not None:
            if isinstance(engine, BatchingEngine) and isinstance(job.task, Decoding):
                self._perform_together(engine, job, job.task)
            else:
                self._perform_alone(engine, job)

    def _next_job(self, engine: Engine | RewardEngine) -> _Job | None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._counts or self._waiting)
                if self._stopping:
                    return None
                if not self._counts:
                    return self._begin()
            self._answer_counts(engine)

    def _begin(self) -> _Job:
        """Called with the lock held."""
        job = self._waiting.popleft()
        self._running.add(job.number)
        return job

    def _end(self, job: int, error: BaseException | None = None) -> None:
        with self._changed:
            self._running.discard(job)
            self._given_up.discard(job)
        self._hear(Ended(job, error))

    def _perform_alone(self, engine: Engine | RewardEngine, job: _Job) -> None:
        self._hear(Begun(job.number))
        try:
            answers = perform(engine, job.block, job.task)
            for index, answer in answers:
                self._hear(Answered(job.number, index, answer))
                if self._given_up:
                    break
                self._answer_counts(engine)
            if isinstance(answers, Generator):
                answers.close()
        except BaseException as error:  # the consumer decides what it means; this thread must survive it
            self._end(job.number, error)
        else:
            self._end(job.number)

    def _perform_together(self, engine: BatchingEngine, first: _Job, decoding: Decoding) -> None:
        """The first job and all that join it, until none is left."""
        try:
            batch = engine.batch(decoding)
            self._join(batch, first)
            while self._running:
                while batch.has_room() and (job := self._next_alike(decoding)) is not None:
                    self._join(batch, job)
                for message in batch.step():
                    if isinstance(message, Ended):
                        self._end(message.job, message.error)
                    else:
                        self._hear(message)
                self._drop_given_up(batch)
                self._answer_counts(engine)
        except BaseException as error:  # as above
            for running in sorted(self._running):
                self._end(running, error)

    def _next_alike(self, decoding: Decoding) -> _Job | None:
        """The job that is next in line, if it is to be decoded so."""
        with self._changed:
            return self._begin() if self._waiting and self._waiting[0].task == decoding else None

    def _join(self, batch: Batch, job: _Job) -> None:
        self._hear(Begun(job.number))
        try:
            batch.add(job.number, job.block)
        except BaseException as error:  # as above; nothing was added, so the others go on
            self._end(job.number, error)

    def _drop_given_up(self, batch: Batch) -> None:
        with self._changed:
            given_up = sorted(self._given_up)
        for job in given_up:
            batch.drop(job)
            self._end(job)

    def _answer_counts(self, engine: Engine | RewardEngine) -> None:
        while (count := self._next_count()) is not None:
            try:
                count.lengths.set_result(engine.count_tokens(count.block))
            except BaseException as error:  # as above: it belongs to whoever asked
                count.lengths.set_exception(error)

    def _next_count(self) -> _Count | None:
        with self._changed:
            return self._counts.popleft() if self._counts else None
