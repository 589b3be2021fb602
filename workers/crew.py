"""Many worker processes as one model, whatever runs them: loading, feeding, and what to do when one is lost.

Each worker has a task here that sends it pieces (`dispatch` says which) and collects its messages with one long call
after the other, so that many completions share a reply. A worker that is lost gets nothing until its new process has
answered a ping and loaded the model; what it still owed goes to whoever is free.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Coroutine, Sequence
from dataclasses import dataclass, field
from itertools import count

from configs.errors import InputError
from configs.schema import WorkersConfig
from workers.activity import WorkersActivity
from workers.dispatch import Dispatcher, News, Piece, cut
from workers.engine_actor import EngineBroken
from workers.engine_thread import Answered, Ended, Message
from workers.failures import GenerationFailed, PromptTooLong, WorkersUnavailable
from workers.prompt import Completion, Decoding, PromptBlock
from workers.text_model import LoadEngine, ModelCard
from workers.worker_process import WorkerDead, WorkerLost, WorkerProcess, WorkerStuck

PAUSE = 0.5  # seconds between two trials to reach a worker that is being restarted
PATIENCE = 10.0  # seconds that cancelled tasks may take to end

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A piece at a worker, with the block's indices of the suffixes that were sent."""

    piece: Piece
    indices: tuple[int, ...]


@dataclass(eq=False, slots=True)
class _Worker:
    """One worker through all its processes.

    Attributes:
        sent: what its process has been given, by job number.
        wake: set when it may have something to do.
        fed: it has answered a ping since it was last idle; what it is given is sent at once.
        placed: its first process has answered.
    """

    number: int
    process: WorkerProcess
    sent: dict[int, _Sent] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    fed: bool = False
    placed: bool = False


class Crew:
    """See the module; `load` first."""

    def __init__(self, load_engine: LoadEngine, config: WorkersConfig) -> None:
        self._load_engine = load_engine
        self._config = config
        self._board = Dispatcher(config.max_attempts)
        self._workers: list[_Worker] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._jobs = count()
        self._card: ModelCard | None = None
        self._restarts = self._tokens = self._gone = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._unavailable: WorkersUnavailable | None = None

    async def load(self, processes: Sequence[WorkerProcess]) -> ModelCard:
        """Load the model in every process, within `start_timeout` seconds.

        Raises:
            InputError: it cannot be loaded, takes too long, or is not the same everywhere.
        """
        self._workers = [_Worker(number, process) for number, process in enumerate(processes)]
        loading = [asyncio.create_task(self._load(worker)) for worker in self._workers]
        try:
            async with asyncio.timeout(self._config.start_timeout):
                cards = await asyncio.gather(*loading)
        except TimeoutError as error:
            raise InputError(self._why_so_late()) from error
        finally:
            for task in loading:
                task.cancel()
        _refuse_differences(cards)
        self._card = cards[0]
        for worker in self._workers:
            self._in_background(self._live(worker))
        return cards[0]

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        losses: list[str] = []
        while self._unavailable is None and len(losses) < self._config.max_attempts:
            number = self._board.least_busy()
            if number is not None:
                try:
                    return await self._workers[number].process.count_tokens(block)
                except WorkerLost as loss:
                    losses.append(str(loss))
                    self._workers[number].wake.set()  # so that it is pinged, and found lost
            await asyncio.sleep(PAUSE)
        raise self._unavailable or GenerationFailed(f"tokens cannot be counted: {losses[-1]}")

    async def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncGenerator[tuple[int, Completion], None]:
        """As `TextModel.generate`. A piece that fails does not keep the others from being answered: its failure is
        raised after their completions. Of several it is the PromptTooLong of the longest prompt, else the first."""
        outbox = asyncio.Queue[News]()
        pieces = cut(block, decoding, self._config.block_size, outbox.put_nowait)
        failures: list[GenerationFailed] = []
        owed = len(pieces)
        self._enqueue(pieces)
        try:
            while owed:
                news = await outbox.get()
                if isinstance(news, tuple):
                    yield news
                    continue
                owed -= 1
                if isinstance(news, GenerationFailed):
                    failures.append(news)
                elif news is not None:
                    raise news
            if failures:
                raise _gravest(failures)
        finally:
            for piece in pieces:
                self._abandon(piece)

    def activity(self) -> WorkersActivity:
        return WorkersActivity(self._board.alive, self._board.busy, self._board.queued, self._restarts, self._tokens)

    async def close(self) -> None:
        """Stop all tasks and end every open `generate`; the processes are their owner's. Idempotent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)
        if self._deadline is not None:
            self._deadline.cancel()
        self._give_up("the model has been closed; make a new one to generate again")
        for worker in self._workers:
            if self._board.has(worker.number):
                self._board.lost(worker.number, was_running=False)

    # One worker's life ------------------------------------------------------------------------------------------

    async def _live(self, worker: _Worker) -> None:
        try:
            while True:
                self._join(worker)
                loss = await self._serve(worker)
                self._bury(worker, loss)
                if isinstance(loss, WorkerStuck):
                    await worker.process.kill()
                _refuse_differences([self._card, await self._load(worker)])
        except InputError as error:
            self._part(worker, f"a worker cannot be restarted: {error}")
        except Exception as error:
            logger.exception("an unexpected error ends worker %d", worker.number + 1)
            self._part(worker, f"a worker is given up ({type(error).__name__}: {error}); see the log")

    async def _load(self, worker: _Worker) -> ModelCard:
        """Wait for the process, as long as it takes, and have it load the model."""
        began = time.monotonic()
        for _ in range(self._config.max_attempts):
            await self._reach(worker)
            try:
                card = await worker.process.begin(self._load_engine)
            except WorkerLost as loss:
                reason = str(loss)
                continue
            seconds = time.monotonic() - began
            logger.info(
                "worker %d of %d is ready on %s after %.0f s", worker.number + 1, self.size, card.device, seconds
            )
            return card
        raise InputError(
            f"a worker died {self._config.max_attempts} times while it loaded the model ({reason}): "
            "give it a machine with more memory, or choose a smaller model or dtype"
        )

    async def _reach(self, worker: _Worker) -> None:
        """Wait for an answer, however long a place for the process is being looked for; some do not live that long."""
        deaths = 0
        while deaths < self._config.max_attempts:
            try:
                await worker.process.ping()
            except WorkerLost as loss:
                reason = str(loss)
                deaths += isinstance(loss, WorkerDead)
                await asyncio.sleep(PAUSE)
            else:
                worker.placed = True
                return
        raise InputError(f"a worker's process ended {deaths} times before it answered: {reason}")

    async def _serve(self, worker: _Worker) -> WorkerLost:
        """Feed a worker until it is lost."""
        try:
            while True:
                await worker.wake.wait()
                if not await worker.process.ping():
                    raise WorkerLost("its process was replaced while it was idle")
                worker.fed = True
                for piece in self._board.held(worker.number):
                    self._send(worker, piece)
                while worker.sent:
                    for message in await worker.process.collect():
                        self._hear(worker, message)
                worker.fed = False
                worker.wake.clear()
        except WorkerLost as loss:
            return loss

    def _join(self, worker: _Worker) -> None:
        self._board.join(worker.number)
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._unavailable = None
        self._hand_out()

    def _bury(self, worker: _Worker, loss: WorkerLost) -> None:
        logger.warning("worker %d of %d was lost: %s", worker.number + 1, self.size, loss)
        self._restarts += 1
        for piece in self._board.held(worker.number):
            if not piece.unanswered:  # only the word that it is over was lost
                piece.abandoned = True
                piece.tell(None)
        spent = self._board.lost(worker.number, was_running=worker.fed)
        worker.sent.clear()
        worker.wake.clear()
        worker.fed = False
        for piece in spent:
            piece.tell(_poisonous(piece, loss))
        if not self._board.alive:
            seconds = self._config.start_timeout
            reason = f"no worker came back within {seconds:g} s (workers.start_timeout); resume when they can"
            self._deadline = asyncio.get_running_loop().call_later(seconds, self._give_up, reason)
        self._hand_out()

    def _part(self, worker: _Worker, reason: str) -> None:
        """A worker will never be back."""
        logger.error(reason)
        if self._board.has(worker.number):
            self._bury(worker, WorkerLost(reason))
        self._gone += 1
        if self._gone == self.size:
            self._give_up(reason)

    def _give_up(self, reason: str) -> None:
        self._unavailable = WorkersUnavailable(reason)
        for piece in self._board.abandon_all():
            piece.tell(self._unavailable)

    # Pieces -----------------------------------------------------------------------------------------------------

    def _enqueue(self, pieces: list[Piece]) -> None:
        if self._unavailable is not None:
            raise self._unavailable
        self._board.add(pieces)
        self._hand_out()

    def _hand_out(self) -> None:
        for number, piece in self._board.assign():
            worker = self._workers[number]
            if worker.fed:
                self._send(worker, piece)
            else:
                worker.wake.set()
        for number, piece in self._board.steals():
            self._in_background(self._withdraw(self._workers[number], piece))

    def _send(self, worker: _Worker, piece: Piece) -> None:
        job, indices = next(self._jobs), tuple(piece.unanswered)
        worker.sent[job] = _Sent(piece, indices)
        worker.process.submit(job, piece.block.select(list(indices)), piece.decoding)

    def _hear(self, worker: _Worker, message: Message) -> None:
        if message.job not in worker.sent:
            return  # of an earlier connection to the same process
        if isinstance(message, Answered):
            self._deliver(worker.sent[message.job], message)
        else:
            self._end(worker, message)

    def _deliver(self, sent: _Sent, answer: Answered) -> None:
        index = sent.indices[answer.index]
        sent.piece.unanswered.remove(index)
        self._tokens += answer.completion.new_tokens
        sent.piece.tell((index, answer.completion))

    def _end(self, worker: _Worker, end: Ended) -> None:
        if isinstance(end.error, EngineBroken):
            raise WorkerStuck(str(end.error))
        piece = worker.sent.pop(end.job).piece
        self._board.finished(worker.number, piece)
        piece.tell(end.error)
        self._hand_out()

    async def _withdraw(self, worker: _Worker, piece: Piece) -> None:
        """Ask a second piece back; one that has not been sent yet need not be asked for."""
        job = _job_of(worker, piece)
        try:
            given_back = job is None or await worker.process.withdraw(job)
        except WorkerLost:
            return  # the worker's own task will see it too, and bury it
        if given_back and job is not None:
            worker.sent.pop(job, None)
        self._board.withdrawn(worker.number, piece, given_back)
        if given_back:
            self._hand_out()

    def _abandon(self, piece: Piece) -> None:
        number = self._board.drop(piece)
        if number is None:
            return
        job = _job_of(self._workers[number], piece)
        if job is None:
            self._board.finished(number, piece)
        else:
            self._workers[number].process.cancel(job)

    @property
    def size(self) -> int:
        return len(self._workers)

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _why_so_late(self) -> str:
        seconds = f"{self._config.start_timeout:g} s (workers.start_timeout)"
        homeless = sum(not worker.placed for worker in self._workers)
        if homeless:
            return (
                f"{homeless} of {self.size} workers found no place within {seconds}: wait until others leave the "
                "cluster, or lower workers.count"
            )
        return f"the model was not loaded everywhere within {seconds}: raise it, or use a faster disk or a local copy"


def _job_of(worker: _Worker, piece: Piece) -> int | None:
    return next((job for job, sent in worker.sent.items() if sent.piece is piece), None)


def _poisonous(piece: Piece, loss: WorkerLost) -> GenerationFailed:
    return GenerationFailed(
        f"{piece.attempts} workers were lost one after the other while they ran this block (at last: {loss}), so its "
        f"{len(piece.unanswered)} unanswered questions are given up: where memory is short, lower model.batch_size"
    )


def _gravest(failures: Sequence[GenerationFailed]) -> GenerationFailed:
    too_long = [failure for failure in failures if isinstance(failure, PromptTooLong)]
    return max(too_long, key=lambda failure: failure.prompt_tokens, default=failures[0])


def _refuse_differences(cards: Sequence[ModelCard | None]) -> None:
    known = [card for card in cards if card is not None]
    other = next((card for card in known if card.fingerprint != known[0].fingerprint), None)
    if other is not None:
        raise InputError(
            f"the workers loaded different models, {known[0].fingerprint!r} and {other.fingerprint!r}: give every node "
            "the same model files and library versions, and pin model.revision"
        )
