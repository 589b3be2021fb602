"""Many worker processes as one model, whatever runs them: feeding them, and what to do when one is lost.

Each worker has a task here that has the model loaded, sends pieces (`dispatcher` says which) and collects messages with
one long call after the other, so that many answers share a reply (`piece_delivery` hands them on). A worker that is
lost gets nothing until its new process has answered a ping and loaded the model; what it still owed goes to whoever is
free.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Coroutine, Iterable
from itertools import count

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.workers import WorkersConfig
from workers.activity import WorkersActivity
from workers.failures import GenerationFailed, ModelClosed, WorkersUnavailable
from workers.prompt import A_co, PromptBlock, Task
from workers.text_model import LoadEngine, ModelCard
from workers.worker_group.answer_stream import AnswerStream
from workers.worker_group.backup_copies import MIN_GAIN
from workers.worker_group.dispatcher import Dispatcher
from workers.worker_group.model_loading import PAUSE, load_model
from workers.worker_group.piece import cut
from workers.worker_group.piece_delivery import PieceDelivery
from workers.worker_group.worker_handle import WorkerHandle
from workers.worker_group.worker_process import WorkerLost, WorkerProcess, WorkerStuck

CANCEL_SECONDS = 10.0  # seconds that cancelled tasks may take to end

logger = logging.getLogger(__name__)


class WorkerGroup:
    """Many worker processes as one model; `load` first.

    Args:
        pause: seconds between two trials to reach a worker.
        min_gain: see `Dispatcher`.
    """

    def __init__(
        self, load_engine: LoadEngine, config: WorkersConfig, pause: float = PAUSE, min_gain: float = MIN_GAIN
    ) -> None:
        self._load_engine = load_engine
        self._config = config
        self._pause = pause
        self._dispatcher = Dispatcher(config.max_attempts, time.monotonic, min_gain)
        self._handles: list[WorkerHandle] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._delivery = PieceDelivery(self._dispatcher, self._handles, self._in_background)
        self._card: ModelCard | None = None
        self._settled = asyncio.Event()  # the first worker is ready, or none ever will be
        self._refusals: list[Exception] = []
        self._blocks = count(1)
        self._restarts = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._unavailable: WorkersUnavailable | None = None

    async def load(self, processes: Iterable[WorkerProcess]) -> ModelCard:
        """Have the model loaded in every process; return as soon as one is ready, within `start_timeout` seconds. The
        others get work as they become ready. After an error the worker group is closed.

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
        """Add a worker; it gets work as soon as it has loaded the model."""
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
        """Perform any task as `TextModel.generate` performs its own; for failures see `AnswerStream.read`."""
        stream = AnswerStream()
        pieces = cut(block, task, self._config.block_size, stream.tell, next(self._blocks))
        if self._unavailable is not None:
            raise self._unavailable
        self._delivery.add(pieces)
        try:
            async for answer in stream.read(len(pieces)):
                yield answer
        finally:
            self._delivery.abandon(pieces)

    def activity(self) -> WorkersActivity:
        self._delivery.note_busy()
        dispatcher = self._dispatcher
        workers = [
            handle.activity(dispatcher.has(handle.number), dispatcher.running(handle.number))
            for handle in self._handles
        ]
        return WorkersActivity(
            alive=dispatcher.alive,
            busy=dispatcher.busy,
            queued=dispatcher.queued,
            restarts=self._restarts,
            tokens=self._delivery.tokens,
            copied=dispatcher.copied,
            seconds_alive=sum(worker.seconds_alive for worker in workers),
            seconds_busy=sum(worker.seconds_busy for worker in workers),
            waiting=dispatcher.waiting,
            answering=dispatcher.answering,
            workers=tuple(workers),
        )

    async def close(self) -> None:
        """Stop all tasks and end every open `perform`; the processes are their owner's. Idempotent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CANCEL_SECONDS)
        self._delivery.close()
        if self._deadline is not None:
            self._deadline.cancel()
        self.give_up(ModelClosed("the model has been closed; make a new one to use it again"))
        for handle in self._handles:
            if self._dispatcher.has(handle.number):
                self._dispatcher.lost(handle.number, was_running=False)
        self._delivery.note_busy()

    # One worker's life ------------------------------------------------------------------------------------------

    async def _live(self, handle: WorkerHandle) -> None:
        try:
            while True:
                card = await load_model(handle, self._load_engine, self._config.max_attempts, pause=self._pause)
                self._ready(handle, card)
                loss = await self._serve(handle)
                self._lost(handle, loss)
                if isinstance(loss, WorkerStuck):
                    await handle.process.kill()
        except InputError as error:
            self._remove(handle, error)
        except Exception as error:
            logger.exception("an unexpected error ends %s", handle)
            self._remove(handle, error)

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
                while handle.running:
                    for message in await handle.process.collect():
                        self._delivery.receive(handle, message)
                handle.fed = False
                handle.wake.clear()
        except WorkerLost as loss:
            return loss

    def _ready(self, handle: WorkerHandle, card: ModelCard) -> None:
        if self._card is None:
            self._card = card
            for notice in card.notices:  # the other workers load the same model
                logger.warning("%s", notice)
            self._settled.set()
        _refuse_difference(self._card, card)
        handle.place = card.place or card.device
        self._dispatcher.ready(handle.number)
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._unavailable = None
        self._delivery.hand_out()

    def _lost(self, handle: WorkerHandle, loss: WorkerLost) -> None:
        logger.warning("%s was lost: %s", handle, loss)
        self._restarts += 1
        spent = self._dispatcher.lost(handle.number, was_running=handle.fed)
        handle.is_lost()
        self._delivery.give_up(spent, loss)
        if not self._dispatcher.alive:
            seconds = self._config.start_timeout
            reason = f"no worker came back within {seconds:g} s (workers.start_timeout); go on when they can"
            self._deadline = asyncio.get_running_loop().call_later(seconds, self.give_up, WorkersUnavailable(reason))
        self._delivery.hand_out()

    def _remove(self, handle: WorkerHandle, error: Exception) -> None:
        """Give up a worker that will never be of use, or never again."""
        reason = f"{handle} is given up: {error}"
        logger.log(logging.WARNING if self._card is None else logging.ERROR, reason)
        if self._dispatcher.has(handle.number):
            self._lost(handle, WorkerLost(reason))
        self._refusals.append(error)
        if len(self._refusals) == len(self._handles):
            self.give_up(WorkersUnavailable(reason))
            self._settled.set()

    def give_up(self, reason: WorkersUnavailable) -> None:
        """Give up all workers: everything asked for fails with this reason, until one of them comes back."""
        self._unavailable = reason
        for piece in self._dispatcher.abandon_all():
            piece.tell(reason)

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _why_so_late(self) -> InputError:
        seconds = f"{self._config.start_timeout:g} s (workers.start_timeout)"
        unplaced = [handle for handle in self._handles if not handle.placed]
        if len(unplaced) == len(self._handles):
            needs = unplaced[0].process.needs
            return InputError(
                f"none of {show_many(len(unplaced), 'worker')} found a place with {needs} within {seconds}: wait "
                "until others leave "
                "the cluster, or add a node"
            )
        return InputError(f"the model was not loaded within {seconds}: raise it, or use a faster disk or a local copy")


def _refuse_difference(first: ModelCard, card: ModelCard) -> None:
    if card.fingerprint != first.fingerprint:
        raise InputError(
            f"the workers loaded different models, {first.fingerprint!r} and {card.fingerprint!r}: give every node "
            "the same model files and library versions, and pin model.revision"
        )
