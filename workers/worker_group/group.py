"""Many worker processes as one model, whatever runs them: feeding them, and what to do when one is lost.

Each worker has a task here that has the model loaded, sends pieces (`dispatch` says which) and collects messages with
one long call after the other, so that many answers share a reply. A worker that is lost gets nothing until its new
process has answered a ping and loaded the model; what it still owed goes to whoever is free.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from itertools import count

from configs.errors import InputError
from configs.schema.workers import WorkersConfig
from workers.activity import WorkersActivity
from workers.failures import GenerationFailed, ModelClosed, WorkersUnavailable
from workers.messages import Answered, Begun, Ended, Message
from workers.prompt import A_co, PromptBlock, Task
from workers.task import new_tokens
from workers.text_model import LoadEngine, ModelCard
from workers.worker_group.answer_stream import AnswerStream
from workers.worker_group.dispatcher import WORTH, Dispatcher
from workers.worker_group.engine_actor import EngineBroken
from workers.worker_group.model_loading import PAUSE, load_model
from workers.worker_group.piece import Piece, cut
from workers.worker_group.worker_handle import Sent, WorkerHandle
from workers.worker_group.worker_process import WorkerLost, WorkerProcess, WorkerStuck

PATIENCE = 10.0  # seconds that cancelled tasks may take to end

logger = logging.getLogger(__name__)


class WorkerGroup:
    """See the module; `load` first.

    Args:
        pause: seconds between two trials to reach a worker.
        worth: see `Dispatcher`.
    """

    def __init__(
        self, load_engine: LoadEngine, config: WorkersConfig, pause: float = PAUSE, worth: float = WORTH
    ) -> None:
        self._load_engine = load_engine
        self._config = config
        self._pause = pause
        self._dispatcher = Dispatcher(config.max_attempts, time.monotonic, worth)
        self._handles: list[WorkerHandle] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._card: ModelCard | None = None
        self._settled = asyncio.Event()  # the first worker is ready, or none ever will be
        self._refusals: list[Exception] = []
        self._blocks = count(1)
        self._restarts = self._tokens = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._next_look: asyncio.TimerHandle | None = None  # at what is late by then
        self._unavailable: WorkersUnavailable | None = None

    async def load(self, processes: Iterable[WorkerProcess]) -> ModelCard:
        """Have the model loaded in every process; return as soon as one is ready, within `start_timeout` seconds. The
        others join as they become ready. After an error the worker group is closed.

        Raises:
            InputError: no worker could load it, or none in time.
        """
        for process in processes:
            self.start_worker(process)
        try:
            async with asyncio.timeout(self._config.start_timeout):
                await self._settled.wait()
        except TimeoutError:
            self._refusals.append(self._why_so_late())
        finally:
            if self._card is None:
                await self.close()
        if self._card is None:
            raise self._refusals[0]
        return self._card

    def start_worker(self, process: WorkerProcess) -> None:
        """One worker more; it joins when it has loaded the model."""
        handle = WorkerHandle(len(self._handles), process, self._handles)
        self._handles.append(handle)
        self._in_background(self._live(handle))

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        losses: list[str] = []
        while self._unavailable is None and len(losses) < self._config.max_attempts:
            number = self._dispatcher.least_busy()
            if number is not None:
                try:
                    return await self._handles[number].process.count_tokens(block)
                except WorkerLost as loss:
                    losses.append(str(loss))
                    self._handles[number].wake.set()  # so that it is pinged, and found lost
            await asyncio.sleep(self._pause)
        raise self._unavailable or GenerationFailed(f"tokens cannot be counted: {losses[-1]}")

    async def perform(self, block: PromptBlock, task: Task[A_co]) -> AsyncGenerator[tuple[int, A_co], None]:
        """As `TextModel.generate`, with any task; for its failures see `AnswerStream.read`."""
        stream = AnswerStream()
        pieces = cut(block, task, self._config.block_size, stream.tell, next(self._blocks))
        self._enqueue(pieces)
        try:
            async for answer in stream.read(len(pieces)):
                yield answer
        finally:
            self._abandon(pieces)

    def activity(self) -> WorkersActivity:
        self._note()
        board = self._dispatcher
        workers = [one.activity(board.has(one.number), board.running(one.number)) for one in self._handles]
        return WorkersActivity(
            alive=board.alive,
            busy=board.busy,
            queued=board.queued,
            restarts=self._restarts,
            tokens=self._tokens,
            copied=board.copied,
            seconds_alive=sum(one.seconds_alive for one in workers),
            seconds_busy=sum(one.seconds_busy for one in workers),
            waiting=board.waiting,
            answering=board.answering,
            workers=tuple(workers),
        )

    async def close(self) -> None:
        """Stop all tasks and end every open `perform`; the processes are their owner's. Idempotent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)
        for timer in (self._deadline, self._next_look):
            if timer is not None:
                timer.cancel()
        self.give_up(ModelClosed("the model has been closed; make a new one to use it again"))
        for handle in self._handles:
            if self._dispatcher.has(handle.number):
                self._dispatcher.lost(handle.number, was_running=False)
        self._note()

    # One worker's life ------------------------------------------------------------------------------------------

    async def _live(self, handle: WorkerHandle) -> None:
        try:
            while True:
                card = await load_model(handle, self._load_engine, self._config.max_attempts, pause=self._pause)
                self._join(handle, card)
                loss = await self._serve(handle)
                self._bury(handle, loss)
                if isinstance(loss, WorkerStuck):
                    await handle.process.kill()
        except InputError as error:
            self._part(handle, error)
        except Exception as error:
            logger.exception("an unexpected error ends %s", handle)
            self._part(handle, error)

    async def _serve(self, handle: WorkerHandle) -> WorkerLost:
        """Feed a worker until it is lost."""
        try:
            while True:
                await handle.wake.wait()
                if not await handle.process.ping():
                    raise WorkerLost("its process was replaced while it was idle")
                handle.fed = True
                for piece in self._dispatcher.held(handle.number):
                    handle.send(piece)
                while handle.sent:
                    for message in await handle.process.collect():
                        self._hear(handle, message)
                handle.fed = False
                handle.wake.clear()
        except WorkerLost as loss:
            return loss

    def _join(self, handle: WorkerHandle, card: ModelCard) -> None:
        if self._card is None:
            self._card = card
            self._settled.set()
        _refuse_difference(self._card, card)
        handle.place = card.place or card.device
        self._dispatcher.join(handle.number)
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._unavailable = None
        self._hand_out()

    def _bury(self, handle: WorkerHandle, loss: WorkerLost) -> None:
        logger.warning("%s was lost: %s", handle, loss)
        self._restarts += 1
        spent = self._dispatcher.lost(handle.number, was_running=handle.fed)
        handle.is_lost()
        for piece in spent:
            self._settle(piece, _poisonous(piece, loss))
        if not self._dispatcher.alive:
            seconds = self._config.start_timeout
            reason = f"no worker came back within {seconds:g} s (workers.start_timeout); resume when they can"
            self._deadline = asyncio.get_running_loop().call_later(seconds, self.give_up, WorkersUnavailable(reason))
        self._hand_out()

    def _part(self, handle: WorkerHandle, error: Exception) -> None:
        """A worker will never be of use, or never again."""
        reason = f"{handle} is given up: {error}"
        logger.log(logging.WARNING if self._card is None else logging.ERROR, reason)
        if self._dispatcher.has(handle.number):
            self._bury(handle, WorkerLost(reason))
        self._refusals.append(error)
        if len(self._refusals) == len(self._handles):
            self.give_up(WorkersUnavailable(reason))
            self._settled.set()

    def give_up(self, reason: WorkersUnavailable) -> None:
        """Give up all workers: everything asked for fails with this reason, until one of them comes back."""
        self._unavailable = reason
        for piece in self._dispatcher.abandon_all():
            piece.tell(reason)

    # Pieces -----------------------------------------------------------------------------------------------------

    def _enqueue(self, pieces: list[Piece]) -> None:
        if self._unavailable is not None:
            raise self._unavailable
        self._dispatcher.add(pieces)
        self._hand_out()

    def _hand_out(self) -> None:
        for number, piece in (*self._dispatcher.assign(), *self._dispatcher.copies()):
            self._handles[number].give(piece)
        for number, piece in self._dispatcher.steals():
            self._in_background(self._withdraw(self._handles[number], piece))
        self._look_again(self._dispatcher.until_copies())
        recalled = [self._cancel(number, piece) for number, piece in self._dispatcher.recalls()]
        self._note()
        if any(recalled):
            self._hand_out()

    def _note(self) -> None:
        """Who is alive and who is busy from now on."""
        for handle in self._handles:
            handle.timesheet.note(self._dispatcher.has(handle.number), bool(self._dispatcher.held(handle.number)))

    def _look_again(self, seconds: float | None) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        loop = asyncio.get_running_loop()
        self._next_look = None if seconds is None else loop.call_later(seconds, self._hand_out)

    def _hear(self, handle: WorkerHandle, message: Message) -> None:
        if message.job not in handle.sent:
            return  # of an earlier connection to the same process
        if isinstance(message, Begun):
            self._dispatcher.begun(handle.number, handle.sent[message.job].piece)
        elif isinstance(message, Answered):
            self._deliver(handle, handle.sent[message.job], message)
        else:
            self._end(handle, message)

    def _deliver(self, handle: WorkerHandle, sent: Sent, answer: Answered) -> None:
        piece, index = sent.piece, sent.indices[answer.index]
        if piece.over or index not in piece.unanswered:
            return  # another copy was faster
        piece.unanswered.remove(index)
        tokens = new_tokens(answer.answer)
        self._tokens += tokens
        handle.tokens += tokens
        handle.passes += answer.passes
        piece.tell((index, answer.answer))
        if not piece.unanswered:
            self._settle(piece, None, last=handle)

    def _end(self, handle: WorkerHandle, end: Ended) -> None:
        if isinstance(end.error, EngineBroken):
            raise WorkerStuck(str(end.error))
        piece = handle.sent.pop(end.job).piece
        if self._dispatcher.finished(handle.number, piece, has_failed=end.error is not None):
            self._settle(piece, end.error)
        self._hand_out()

    def _settle(self, piece: Piece, error: BaseException | None, last: WorkerHandle | None = None) -> None:
        """Say how the piece ended, and stop whoever still works on it; `last` is done with it."""
        for number in self._dispatcher.drop(piece):
            if self._handles[number] is not last:
                self._cancel(number, piece)
        piece.tell(error)

    async def _withdraw(self, handle: WorkerHandle, piece: Piece) -> None:
        try:
            given_back = await handle.withdraw(piece)
        except WorkerLost:
            return  # the worker's own task will see it too, and bury it
        self._dispatcher.withdrawn(handle.number, piece, given_back)
        if given_back:
            self._hand_out()

    def _abandon(self, pieces: Sequence[Piece]) -> None:
        """Nobody reads their answers any more."""
        for piece in pieces:
            if not piece.over:
                for number in self._dispatcher.drop(piece):
                    self._cancel(number, piece)
        self._hand_out()

    def _cancel(self, number: int, piece: Piece) -> bool:
        """Have a worker end a piece early; True when that is done already, since it had not been sent."""
        if self._handles[number].cancel(piece):
            return False
        self._dispatcher.finished(number, piece)
        return True

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _why_so_late(self) -> InputError:
        seconds = f"{self._config.start_timeout:g} s (workers.start_timeout)"
        homeless = [handle for handle in self._handles if not handle.placed]
        if len(homeless) == len(self._handles):
            needs = homeless[0].process.needs
            return InputError(
                f"none of {len(homeless)} workers found a place with {needs} within {seconds}: wait until others leave "
                "the cluster, or add a node"
            )
        return InputError(f"the model was not loaded within {seconds}: raise it, or use a faster disk or a local copy")


def _poisonous(piece: Piece, loss: WorkerLost) -> GenerationFailed:
    return GenerationFailed(
        f"{piece.attempts} workers were lost one after the other while they ran this block (at last: {loss}), so its "
        f"{len(piece.unanswered)} unanswered questions are given up: where memory is short, lower model.batch_size"
    )


def _refuse_difference(first: ModelCard, card: ModelCard) -> None:
    if card.fingerprint != first.fingerprint:
        raise InputError(
            f"the workers loaded different models, {first.fingerprint!r} and {card.fingerprint!r}: give every node "
            "the same model files and library versions, and pin model.revision"
        )
