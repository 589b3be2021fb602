"""The way of pieces to the workers, and of their answers back to whoever asked."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence

from configs.plural import show_many
from workers.failures import GenerationFailed
from workers.messages import Answered, Begun, Ended, Message
from workers.task import new_tokens
from workers.worker_group.dispatcher import Dispatcher
from workers.worker_group.engine_actor import EngineBroken
from workers.worker_group.piece import Piece
from workers.worker_group.worker_handle import RunningPiece, WorkerHandle
from workers.worker_group.worker_process import WorkerLost, WorkerStuck


class PieceDelivery:
    """Carries out what the dispatcher decides, and tells it and the askers what the workers say.

    Args:
        dispatcher: decides which worker does which piece.
        handles: all workers by number; more may be added later.
        in_background: runs a coroutine for as long as the worker group is open.

    Attributes:
        tokens: generated, of all completions received.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        handles: Sequence[WorkerHandle],
        in_background: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self.tokens = 0
        self._dispatcher = dispatcher
        self._handles = handles
        self._in_background = in_background
        self._next_look: asyncio.TimerHandle | None = None  # at what is late by then

    def add(self, pieces: Iterable[Piece]) -> None:
        """Queue new pieces, and hand out what can be handed out."""
        self._dispatcher.add(pieces)
        self.hand_out()

    def hand_out(self) -> None:
        """Give workers what they can do now, and ask back what others can do sooner."""
        for number, piece in (*self._dispatcher.assign(), *self._dispatcher.copies()):
            self._handles[number].give(piece)
        for number, piece in self._dispatcher.steals():
            self._in_background(self._withdraw(self._handles[number], piece))
        self._look_again(self._dispatcher.until_copies())
        recalled = [self._cancel(number, piece) for number, piece in self._dispatcher.recalls()]
        self.note_busy()
        if any(recalled):
            self.hand_out()

    def note_busy(self) -> None:
        """Note who is alive and who is busy from now on."""
        for handle in self._handles:
            handle.timesheet.note(self._dispatcher.has(handle.number), bool(self._dispatcher.held(handle.number)))

    def receive(self, handle: WorkerHandle, message: Message) -> None:
        """Act on a worker's message. Raises WorkerStuck where its engine is broken."""
        if message.job not in handle.running:
            return  # of an earlier connection to the same process
        if isinstance(message, Begun):
            self._dispatcher.begun(handle.number, handle.running[message.job].piece)
        elif isinstance(message, Answered):
            self._receive_answer(handle, handle.running[message.job], message)
        else:
            self._receive_end(handle, message)

    def give_up(self, pieces: Iterable[Piece], loss: WorkerLost) -> None:
        """Let pieces fail that have cost too many workers, the last one by `loss`."""
        for piece in pieces:
            self._settle(piece, _too_many_losses(piece, loss))

    def abandon(self, pieces: Iterable[Piece]) -> None:
        """Stop work on pieces whose answers nobody reads any more."""
        for piece in pieces:
            if not piece.over:
                for number in self._dispatcher.drop(piece):
                    self._cancel(number, piece)
        self.hand_out()

    def close(self) -> None:
        """Hand out nothing more because of the time. Idempotent."""
        if self._next_look is not None:
            self._next_look.cancel()

    def _look_again(self, seconds: float | None) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        loop = asyncio.get_running_loop()
        self._next_look = None if seconds is None else loop.call_later(seconds, self.hand_out)

    def _receive_answer(self, handle: WorkerHandle, running: RunningPiece, answer: Answered) -> None:
        piece, index = running.piece, running.indices[answer.index]
        if piece.over or index not in piece.unanswered:
            return  # another copy was faster
        piece.unanswered.remove(index)
        tokens = new_tokens(answer.answer)
        self.tokens += tokens
        handle.tokens += tokens
        handle.passes += answer.passes
        handle.drafted += answer.drafted
        piece.tell((index, answer.answer))
        if not piece.unanswered:
            self._settle(piece, None, last=handle)

    def _receive_end(self, handle: WorkerHandle, end: Ended) -> None:
        if isinstance(end.error, EngineBroken):
            raise WorkerStuck(str(end.error))
        piece = handle.running.pop(end.job).piece
        if self._dispatcher.finished(handle.number, piece, has_failed=end.error is not None):
            self._settle(piece, end.error)
        self.hand_out()

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
            return  # the worker's own task will notice the loss too, and act on it
        self._dispatcher.withdrawn(handle.number, piece, given_back)
        if given_back:
            self.hand_out()

    def _cancel(self, number: int, piece: Piece) -> bool:
        """Have a worker end a piece early; True when that is done already, since it had not been sent."""
        if self._handles[number].cancel(piece):
            return False
        self._dispatcher.finished(number, piece)
        return True


def _too_many_losses(piece: Piece, loss: WorkerLost) -> GenerationFailed:
    return GenerationFailed(
        f"{show_many(piece.attempts, 'worker was lost', 'workers were lost one after the other')} while running this "
        f"block (the last time: {loss}), so its "
        f"{show_many(len(piece.unanswered), 'unanswered question is', 'unanswered questions are')} given up: where "
        "memory is short, lower model.batch_size"
    )
