"""Which worker does which piece next. Pure bookkeeping: no clock, no Ray, no asyncio.

Pieces wait in one queue. Each worker holds at most one running piece and one behind it, so that it need not wait for
the round trip; idle workers are served before anyone gets a second piece, and when the queue is empty an idle worker
may steal a second piece that has not begun. Among the oldest pieces the one is taken that costs the least reading anew.

A piece whose worker died is suspect: it then runs alone, so that the next death is blamed on nobody else.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice, pairwise
from math import ceil

from workers.affinity import Chain, PrefixMemory, chain_of
from workers.prompt import Completion, Decoding, PromptBlock

PAIRS_COMPARED = 256  # (worker, piece) pairs looked at for one decision: bounds its cost to about a millisecond
FEWEST_COMPARED = 16  # pieces looked at however many workers are free

News = tuple[int, Completion] | BaseException | None


@dataclass(eq=False, slots=True)
class Piece:
    """Part of a block: what travels to one worker.

    Attributes:
        block: the whole block.
        unanswered: suffix indices of the block that this piece still owes, in order.
        tell: hears each `(suffix index, completion)` once and then, once, how the piece ended: None or an error.
        chain: of the block's prefix.
        attempts: workers lost while they were running it.
        suspect: was on a worker that was lost.
        abandoned: nobody wants it any more.
    """

    block: PromptBlock
    decoding: Decoding
    unanswered: list[int]
    tell: Callable[[News], None]
    chain: Chain
    attempts: int = 0
    suspect: bool = False
    abandoned: bool = False


def cut(block: PromptBlock, decoding: Decoding, block_size: int, tell: Callable[[News], None]) -> list[Piece]:
    """Pieces of nearly equal size, none with more than `block_size` suffixes."""
    total, chain = len(block.suffixes), chain_of(block.prefix)
    number = ceil(total / block_size)
    edges = [total * piece // number for piece in range(number + 1)] if number else []
    return [Piece(block, decoding, list(range(start, stop)), tell, chain) for start, stop in pairwise(edges)]


@dataclass(slots=True)
class _Bench:
    """What one worker holds: the first piece runs, the second waits behind it."""

    pieces: list[Piece] = field(default_factory=list)
    withdrawing: Piece | None = None


class Dispatcher:
    """The queue and the benches.

    Args:
        max_attempts: lost workers after which a piece is given up.
    """

    def __init__(self, max_attempts: int) -> None:
        self._max_attempts = max_attempts
        self._queue: deque[Piece] = deque()
        self._suspects: deque[Piece] = deque()
        self._benches: dict[int, _Bench] = {}
        self._memory = PrefixMemory()

    @property
    def alive(self) -> int:
        return len(self._benches)

    @property
    def busy(self) -> int:
        return sum(bool(bench.pieces) for bench in self._benches.values())

    @property
    def queued(self) -> int:
        """Pieces that no worker has begun, those behind a running piece included."""
        return len(self._suspects) + len(self._queue) + sum(len(bench.pieces[1:]) for bench in self._benches.values())

    def has(self, worker: int) -> bool:
        return worker in self._benches

    def held(self, worker: int) -> tuple[Piece, ...]:
        return tuple(self._benches[worker].pieces) if worker in self._benches else ()

    def least_busy(self) -> int | None:
        return min(self._benches, key=lambda worker: len(self._benches[worker].pieces), default=None)

    def join(self, worker: int) -> None:
        """The worker is ready and holds nothing."""
        self._benches[worker] = _Bench()

    def add(self, pieces: Iterable[Piece]) -> None:
        self._queue.extend(pieces)

    def assign(self) -> list[tuple[int, Piece]]:
        """Hand out what can be handed out now; each pair is a worker and a piece that goes to it."""
        assigned = []
        for room in (1, 2):
            while (self._suspects or self._queue) and (free := self._free(room)):
                worker, piece = self._take(free)
                self._benches[worker].pieces.append(piece)
                self._memory.note(worker, piece.chain)
                assigned.append((worker, piece))
        return assigned

    def steals(self) -> list[tuple[int, Piece]]:
        """Second pieces to ask back, each with its worker, because others are idle and nothing is queued.

        Each must be answered with `withdrawn`.
        """
        benches = self._benches.values()
        wanted = sum(not bench.pieces for bench in benches) - sum(bench.withdrawing is not None for bench in benches)
        if self._suspects or self._queue or wanted <= 0:
            return []
        full = [worker for worker, bench in self._benches.items() if len(bench.pieces) > 1 and not bench.withdrawing]
        full.sort(key=lambda worker: -len(self._benches[worker].pieces[0].unanswered))
        for worker in full[:wanted]:
            self._benches[worker].withdrawing = self._benches[worker].pieces[1]
        return [(worker, self._benches[worker].pieces[1]) for worker in full[:wanted]]

    def withdrawn(self, worker: int, piece: Piece, given_back: bool) -> None:
        """The answer to a steal: the worker gave the piece back, or had begun it."""
        bench = self._benches.get(worker)
        if bench is None or bench.withdrawing is not piece:
            return
        bench.withdrawing = None
        if given_back and piece in bench.pieces:
            bench.pieces.remove(piece)
            self._queue.extendleft(() if piece.abandoned else (piece,))

    def finished(self, worker: int, piece: Piece) -> None:
        """The worker is done with the piece, however it ended."""
        bench = self._benches[worker]
        bench.pieces.remove(piece)
        if bench.withdrawing is piece:
            bench.withdrawing = None

    def drop(self, piece: Piece) -> int | None:
        """Nobody wants the piece any more. Returns the worker that holds it, if one does."""
        piece.abandoned = True
        for queue in (self._suspects, self._queue):
            if piece in queue:
                queue.remove(piece)
        return next((worker for worker, bench in self._benches.items() if piece in bench.pieces), None)

    def lost(self, worker: int, was_running: bool) -> list[Piece]:
        """The worker is gone, with what it knew. Returns the pieces that have used up their attempts.

        Args:
            was_running: its first piece had been sent and may be to blame; otherwise nothing had been sent.
        """
        bench = self._benches.pop(worker)
        self._memory.forget(worker)
        for place, piece in enumerate(bench.pieces):
            piece.suspect |= was_running
            piece.attempts += was_running and place == 0
        wanted = [piece for piece in bench.pieces if not piece.abandoned]
        spent = [piece for piece in wanted if piece.attempts >= self._max_attempts]
        for piece in reversed(wanted):
            if piece not in spent:
                (self._suspects if piece.suspect else self._queue).appendleft(piece)
        return spent

    def abandon_all(self) -> list[Piece]:
        """Empty the queue and every bench; returns what was there and still wanted."""
        pieces = [*self._suspects, *self._queue, *(piece for bench in self._benches.values() for piece in bench.pieces)]
        self._suspects.clear()
        self._queue.clear()
        wanted = [piece for piece in pieces if not piece.abandoned]
        for piece in wanted:
            piece.abandoned = True
        return wanted

    def _free(self, room: int) -> list[int]:
        """Workers that may hold one more piece, up to `room`; nobody gets a second one while suspects wait."""
        if room > 1 and self._suspects:
            return []
        return [
            worker
            for worker, bench in self._benches.items()
            if len(bench.pieces) < room and not any(piece.suspect for piece in bench.pieces)
        ]

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
