"""The rule on when an idle worker does a piece a second time.

It pays where the idle worker can be expected to end the piece much sooner: because the piece's own worker is slower, or
late, which may mean anything. The first answer to each suffix counts (the backup tasks of MapReduce, Dean and Ghemawat
2004, section 3.6). Other copies would not pay: they come second, slow the original down where both share a machine, and
cannot be called back for the next piece while they read their prefix.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf

from workers.worker_group.piece import Piece
from workers.worker_group.prefix_affinity import PrefixMemory
from workers.worker_group.throughput import Throughput
from workers.worker_group.work_queue import WorkQueue

MAX_HOLDERS = 3  # of a piece: a second copy helps where the first went to a slow worker
LATE_FACTOR = 1.3  # times as long as expected is late; a copy must be expected to need this many times less
MIN_GAIN = 2.0  # seconds that a copy must be expected to gain, at least


class BackupCopies:
    """Foresees when workers will be done with their pieces, and chooses what is copied.

    Args:
        queues: work queue of each worker, as the dispatcher keeps them up to date.
        memory: prefixes that each worker has met, likewise.
        clock: tells seconds.
        max_attempts: no more workers than these work on a piece at the same time.
        min_gain: seconds that a copy must be expected to gain, at least.
    """

    def __init__(
        self,
        queues: Mapping[int, WorkQueue],
        memory: PrefixMemory,
        clock: Callable[[], float],
        max_attempts: int,
        min_gain: float,
    ) -> None:
        self._queues = queues
        self._memory = memory
        self._clock = clock
        self._max_holders = min(MAX_HOLDERS, max_attempts)
        self._min_gain = min_gain
        self._throughput = Throughput()

    def running(self) -> list[Piece]:
        """List the pieces that run, each once, whoever does it."""
        return list(dict.fromkeys(piece for queue in self._queues.values() for piece in queue.starts))

    def best(self, idle: Sequence[int]) -> tuple[int, Piece] | None:
        """Choose the idle worker and the piece that would run longest without it; None where no copy pays."""
        copyable = self._copyable()
        if not idle or not copyable:
            return None
        piece = max(copyable, key=self._seconds_left)
        worker = min(
            idle, key=lambda worker: (self._memory.loss(worker, piece.chain), self._seconds_per_suffix(worker))
        )
        needed = self._seconds_per_suffix(worker) * len(piece.unanswered)
        gain = self._seconds_left(piece) - needed
        return (worker, piece) if gain > max(self._min_gain, (LATE_FACTOR - 1) * needed) else None

    def seconds_until_late(self) -> float | None:
        """Seconds until the first piece is late at all its workers; None when that cannot be foreseen."""
        late_at = min(
            (max(self._late_at(worker, piece) for worker in piece.holders) for piece in self._copyable()), default=inf
        )
        return None if late_at == inf else max(0.0, late_at - self._clock())

    def note_finished(self, worker: int, piece: Piece) -> None:
        """Learn from a piece that is done. With another's help it took less than the worker would have needed alone."""
        start = self._queues[worker].starts[piece]
        seconds = self._clock() - start.since
        if not piece.copied or seconds > self._expected(worker, piece):
            self._throughput.note(worker, seconds, start.company)

    def forget(self, worker: int) -> None:
        """Forget how fast a lost worker was; it may come back elsewhere."""
        self._throughput.forget(worker)

    def _copyable(self) -> list[Piece]:
        """Pieces that run, that few work on, and with which nothing has gone wrong yet."""
        return [
            piece
            for piece in self.running()
            if len(piece.holders) < self._max_holders and not (piece.over or piece.suspect or piece.has_failed)
        ]

    def _seconds_left(self, piece: Piece) -> float:
        """Seconds until the first of its holders can be expected to be done with it; infinite when all are late."""
        return min(self._seconds_left_at(worker, piece) for worker in piece.holders)

    def _seconds_left_at(self, worker: int, piece: Piece) -> float:
        now = self._clock()
        if now >= self._late_at(worker, piece):
            return inf
        return self._since(worker, piece) + self._expected(worker, piece) - now

    def _late_at(self, worker: int, piece: Piece) -> float:
        return self._since(worker, piece) + max(self._min_gain, LATE_FACTOR * self._expected(worker, piece))

    def _since(self, worker: int, piece: Piece) -> float:
        return self._queues[worker].starts[piece].since

    def _expected(self, worker: int, piece: Piece) -> float:
        """Seconds for a piece in its company there."""
        return self._seconds_per_suffix(worker) * self._queues[worker].starts[piece].company

    def _seconds_per_suffix(self, worker: int) -> float:
        """Seconds a suffix takes there; infinite while nothing is known of any worker."""
        seconds = self._throughput.of(worker)
        return inf if seconds is None else seconds
