"""The assignment of pieces to workers. Pure bookkeeping: no clock of its own, no Ray, no asyncio.

Pieces wait in one queue. Each worker holds a running piece and one behind it, so that it need not wait for the round
trip, and more where they are small and to be decoded alike, because it may be able to answer them together. Who holds
least is served first, and when the queue is empty an idle worker may steal a piece that waits behind others. Among the
oldest pieces the one is taken that costs the least reading anew.

When nothing waits anywhere, an idle worker may start a copy of a piece that runs elsewhere (`backup_copies` says when
that pays). Copies are called back when there is work again.

A piece whose worker died is suspect: it then runs alone, so that the next death is blamed on nobody else.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from workers.worker_group.backup_copies import MIN_GAIN, BackupCopies
from workers.worker_group.piece import Piece
from workers.worker_group.prefix_affinity import PrefixMemory
from workers.worker_group.work_queue import WorkQueue

PAIRS_COMPARED = 256  # (worker, piece) pairs looked at for one decision: bounds its cost to about a millisecond
FEWEST_COMPARED = 16  # pieces looked at however many workers are free
# suffixes that a worker is given as small pieces; on a GPU a step of so many costs little more than of one
SMALL_SUFFIXES = 64


class Dispatcher:
    """The queue of pieces, and the work queue of each worker.

    Args:
        max_attempts: lost workers after which a piece is given up; no more than these work on it at the same time, so
            that a poisonous piece costs no more workers.
        clock: tells seconds.
        min_gain: seconds that a copy must be expected to gain, at least.
        small_suffixes: suffixes that a worker is given as small pieces.

    Attributes:
        copied: copies begun so far.
    """

    def __init__(
        self,
        max_attempts: int,
        clock: Callable[[], float],
        min_gain: float = MIN_GAIN,
        small_suffixes: int = SMALL_SUFFIXES,
    ) -> None:
        self.copied = 0
        self._max_attempts = max_attempts
        self._clock = clock
        self._small_suffixes = small_suffixes
        self._queue: deque[Piece] = deque()
        self._suspects: deque[Piece] = deque()
        self._queues: dict[int, WorkQueue] = {}
        self._memory = PrefixMemory()
        self._backups = BackupCopies(self._queues, self._memory, clock, max_attempts, min_gain)

    @property
    def alive(self) -> int:
        return len(self._queues)

    @property
    def busy(self) -> int:
        return sum(bool(queue.pieces) for queue in self._queues.values())

    @property
    def queued(self) -> int:
        """Pieces that no worker has begun, those behind a running piece included."""
        return len(self._suspects) + len(self._queue) + sum(len(queue.waiting) for queue in self._queues.values())

    @property
    def waiting(self) -> int:
        """Suffixes of the pieces that no worker has begun."""
        behind = (piece for queue in self._queues.values() for piece in queue.waiting)
        return sum(len(piece.unanswered) for piece in (*self._suspects, *self._queue, *behind))

    @property
    def answering(self) -> int:
        """Suffixes still to come of the pieces that run; those of a piece that several workers do count once."""
        return sum(len(piece.unanswered) for piece in self._backups.running() if not piece.over)

    def has(self, worker: int) -> bool:
        return worker in self._queues

    def held(self, worker: int) -> tuple[Piece, ...]:
        return tuple(self._queues[worker].pieces) if worker in self._queues else ()

    def running(self, worker: int) -> list[tuple[Piece, int, float]]:
        """The worker's pieces that run, the oldest first, each with the suffixes it had to answer when it began, and
        the seconds since."""
        starts = self._queues[worker].starts if worker in self._queues else {}
        return [(piece, start.owed, self._clock() - start.since) for piece, start in starts.items()]

    def least_busy(self) -> int | None:
        return min(self._queues, key=lambda worker: len(self._queues[worker].pieces), default=None)

    def ready(self, worker: int) -> None:
        """Take the worker into account from now on; it holds nothing yet."""
        self._queues[worker] = WorkQueue()

    def add(self, pieces: Iterable[Piece]) -> None:
        self._queue.extend(pieces)

    # Handing out ------------------------------------------------------------------------------------------------

    def assign(self) -> list[tuple[int, Piece]]:
        """Hand out what can be handed out now; each pair is a worker and a piece that goes to it."""
        assigned = []
        while (self._suspects or self._queue) and (free := self._free()):
            worker, piece = self._take(free)
            self._give(worker, piece)
            assigned.append((worker, piece))
        return assigned

    def copies(self) -> list[tuple[int, Piece]]:
        """Pieces that idle workers do a second time because that pays, each with the worker it goes to."""
        copies = []
        while not self.queued and (best := self._backups.best(self._idle())) is not None:
            self._give(*best)
            best[1].copied = True
            copies.append(best)
        self.copied += len(copies)
        return copies

    def until_copies(self) -> float | None:
        """Seconds until `copies` should be asked again if nothing else happens before; None when it need not be."""
        if self.queued or not self._idle():
            return None
        return self._backups.seconds_until_late()

    def steals(self) -> list[tuple[int, Piece]]:
        """Waiting pieces to ask back, each with its worker, because others are idle and nothing is queued.

        Each must be answered with `withdrawn`.
        """
        queues = self._queues.values()
        wanted = sum(not queue.pieces for queue in queues) - sum(queue.withdrawing is not None for queue in queues)
        if self._suspects or self._queue or wanted <= 0:
            return []
        full = [(worker, queue) for worker, queue in self._queues.items() if queue.waiting and not queue.withdrawing]
        full.sort(key=lambda pair: -pair[1].owed)
        stolen = [(worker, queue.waiting[-1]) for worker, queue in full[:wanted]]
        for worker, piece in stolen:
            self._queues[worker].withdrawing = piece
        return stolen

    def recalls(self) -> list[tuple[int, Piece]]:
        """Copies to be cancelled because there is work again, each with its worker; those begun last come first.

        Each must be answered with `finished`.
        """
        waiting = self.queued
        if not waiting:
            return []
        copying = [
            (worker, queue)
            for worker, queue in self._queues.items()
            if queue.pieces and queue.pieces[0].is_copy(worker) and not queue.pieces[0].over
        ]
        copying.sort(key=lambda pair: -pair[1].starts[pair[1].pieces[0]].since)
        chosen = [(worker, queue) for worker, queue in copying[:waiting] if not queue.recalled]
        for _, queue in chosen:
            queue.recalled = True
        return [(worker, queue.pieces[0]) for worker, queue in chosen]

    # What became of it ------------------------------------------------------------------------------------------

    def begun(self, worker: int, piece: Piece) -> None:
        """The worker runs the piece. (The first that it holds counts as begun as soon as it is given.)"""
        self._queues[worker].begin(piece, self._clock())

    def withdrawn(self, worker: int, piece: Piece, given_back: bool) -> None:
        """The answer to a steal: the worker gave the piece back, or had begun it."""
        queue = self._queues.get(worker)
        if queue is None or queue.withdrawing is not piece:
            return
        queue.withdrawing = None
        if given_back and piece in queue.pieces:
            self._take_away(worker, piece)
            self._queue.extendleft(() if piece.over else (piece,))

    def finished(self, worker: int, piece: Piece, has_failed: bool = False) -> bool:
        """The worker is done with the piece, however it ended. True when nobody else does it, though it is not over."""
        piece.has_failed |= has_failed
        queue = self._queues[worker]
        is_recalled = queue.recalled and queue.pieces[0] is piece
        if piece in queue.starts and not piece.unanswered:
            self._backups.note_finished(worker, piece)
        self._take_away(worker, piece)
        if piece.over or piece.holders:
            return False
        if is_recalled:  # whoever had it longer was lost in the meantime
            self._put_back(piece)
        return not is_recalled

    def drop(self, piece: Piece) -> list[int]:
        """Nobody waits for the piece any more. Returns the workers that hold it."""
        piece.over = True
        for queue in (self._suspects, self._queue):
            if piece in queue:
                queue.remove(piece)
        return list(piece.holders)

    def lost(self, worker: int, was_running: bool) -> list[Piece]:
        """Forget a worker that is gone, with what it knew. Returns the pieces that have used up their attempts.

        Args:
            was_running: what ran had been sent and may be to blame: a piece beside which no other can have run. Where
                several may have, all become suspects, and each runs alone. Otherwise nothing had been sent.
        """
        held, may_run = self.held(worker), self._queues[worker].may_run
        for piece in held:
            piece.suspect |= was_running
            piece.attempts += was_running and may_run == [piece]
            piece.holders.remove(worker)
        del self._queues[worker]
        self._memory.forget(worker)
        self._backups.forget(worker)
        unheld = [piece for piece in held if not piece.over and not piece.holders]
        spent = [piece for piece in unheld if piece.attempts >= self._max_attempts]
        for piece in reversed(unheld):
            if piece not in spent:
                self._put_back(piece)
        return spent

    def abandon_all(self) -> list[Piece]:
        """Empty all queues; returns the pieces that were there and not over."""
        held = (piece for queue in self._queues.values() for piece in queue.pieces)
        waited_for = [piece for piece in dict.fromkeys([*self._suspects, *self._queue, *held]) if not piece.over]
        for piece in waited_for:
            self.drop(piece)
        return waited_for

    # Choosing ---------------------------------------------------------------------------------------------------

    def _give(self, worker: int, piece: Piece) -> None:
        queue = self._queues[worker]
        queue.pieces.append(piece)
        piece.holders.append(worker)
        if queue.pieces[0] is piece:
            queue.begin(piece, self._clock())
        self._memory.note(worker, piece.chain)

    def _take_away(self, worker: int, piece: Piece) -> None:
        queue = self._queues[worker]
        if queue.withdrawing is piece:
            queue.withdrawing = None
        if queue.pieces[0] is piece:
            queue.recalled = False
        queue.pieces.remove(piece)
        queue.starts.pop(piece, None)
        piece.holders.remove(worker)
        if queue.pieces and not queue.starts:
            queue.begin(queue.pieces[0], self._clock())

    def _put_back(self, piece: Piece) -> None:
        (self._suspects if piece.suspect else self._queue).appendleft(piece)

    def _free(self) -> list[int]:
        """Workers that may be given one more piece and hold least. Nobody gets a second one while suspects wait."""
        if self._suspects:
            return self._idle()
        free = {
            worker: len(queue.pieces)
            for worker, queue in self._queues.items()
            if queue.has_room(worker, self._small_suffixes)
        }
        least = min(free.values(), default=0)
        return [worker for worker, pieces in free.items() if pieces == least]

    def _idle(self) -> list[int]:
        return [worker for worker, queue in self._queues.items() if not queue.pieces]

    def _take(self, free: list[int]) -> tuple[int, Piece]:
        if self._suspects:
            return free[0], self._suspects.popleft()
        worker, piece = self._cheapest(free)
        self._queue.remove(piece)
        return worker, piece

    def _cheapest(self, free: list[int]) -> tuple[int, Piece]:
        """The pair with the least to read anew; the older piece when equal."""
        best, least = (free[0], self._queue[0]), sys.maxsize
        for piece in islice(self._queue, max(PAIRS_COMPARED // len(free), FEWEST_COMPARED)):
            for worker in free:
                if (loss := self._memory.loss(worker, piece.chain)) < least:
                    best, least = (worker, piece), loss
            if least == 0:
                break
        return best
