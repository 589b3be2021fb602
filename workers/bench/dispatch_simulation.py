"""How well the dispatcher uses workers of unequal speed, on a virtual clock.

`python -m workers.bench.dispatch_simulation --help`

Nothing but `dispatcher` is real: workers have speeds, pieces have work, and messages take time. The ideal is the total
work divided by the total speed. A piece is answered as a whole at its end, as where all its questions are in one batch,
so a copy has to start from nothing: the least favourable case for doing a piece twice.
"""

import argparse
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from statistics import fmean

import numpy as np

from workers.prompt import Decoding, PromptBlock
from workers.worker_group.dispatcher import Dispatcher
from workers.worker_group.piece import News, Piece, cut

MEDIAN, SPREAD = 7.4, 0.3  # of a piece's lognormal work: seconds at speed 1, and sigma


@dataclass(eq=False, slots=True)
class _Job:
    """A piece at a worker; a piece that comes a second time is another job."""

    piece: Piece


class Simulation:
    """Workers of different speed behind a slow line.

    Args:
        speeds: work units a second, one a worker.
        latency: seconds a message takes, either way.
        with_copies: idle workers do a second time what is late.
    """

    def __init__(self, speeds: Sequence[float], latency: float, with_copies: bool = True) -> None:
        self._speeds = speeds
        self._latency = latency
        self._with_copies = with_copies
        self._board = Dispatcher(3, lambda: self._clock, small_suffixes=1)  # one piece at a time
        self._inside: list[list[_Job]] = [[] for _ in speeds]
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._clock = self._done = 0.0
        self._looks = 0

    def run(self, work: dict[Piece, float]) -> float:
        """Seconds until the last piece is known to be done; once for each simulation.

        Args:
            work: of each piece, in work units.
        """
        for worker in range(len(self._speeds)):
            self._board.ready(worker)
        self._work = work
        self._board.add(work)
        self._hand_out()
        while self._events:
            self._clock, _, happen = heapq.heappop(self._events)
            happen()
        if self._board.busy or self._board.queued or not all(piece.over for piece in work):
            raise RuntimeError("the dispatcher left a piece undone")
        return self._done

    # At the coordinator -----------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        for worker, piece in self._board.assign():
            self._later(self._latency, partial(self._arrive, worker, piece))
        for worker, piece in self._board.copies() if self._with_copies else ():
            self._later(self._latency, partial(self._arrive, worker, piece))
        if self._with_copies and (pause := self._board.until_copies()) is not None:
            self._looks += 1
            self._later(pause, partial(self._look_again, self._looks))
        for worker, piece in self._board.steals():
            self._later(self._latency, partial(self._withdraw, worker, piece))
        for worker, piece in self._board.recalls():
            self._later(self._latency, partial(self._cancel, worker, piece))

    def _look_again(self, number: int) -> None:
        if number == self._looks:
            self._hand_out()

    def _on_answer(self, worker: int, piece: Piece, is_answered: bool) -> None:
        if is_answered and not piece.over:
            self._done = self._clock
            piece.unanswered.clear()
            for other in self._board.drop(piece):
                if other != worker:
                    self._later(self._latency, partial(self._cancel, other, piece))
        self._board.finished(worker, piece)
        self._hand_out()

    def _withdrawn(self, worker: int, piece: Piece, given_back: bool) -> None:
        self._board.withdrawn(worker, piece, given_back)
        if given_back:
            self._hand_out()

    # At a worker ------------------------------------------------------------------------------------------------

    def _arrive(self, worker: int, piece: Piece) -> None:
        self._inside[worker].append(_Job(piece))
        if len(self._inside[worker]) == 1:
            self._begin(worker)

    def _begin(self, worker: int) -> None:
        if self._inside[worker]:
            job = self._inside[worker][0]
            self._later(self._work[job.piece] / self._speeds[worker], partial(self._complete, worker, job))

    def _complete(self, worker: int, job: _Job) -> None:
        if job in self._inside[worker]:
            self._end(worker, job, is_answered=True)

    def _cancel(self, worker: int, piece: Piece) -> None:
        for job in [job for job in self._inside[worker] if job.piece is piece]:
            self._end(worker, job, is_answered=False)

    def _end(self, worker: int, job: _Job, is_answered: bool) -> None:
        was_running = self._inside[worker][0] is job
        self._inside[worker].remove(job)
        if was_running:
            self._begin(worker)
        self._later(self._latency, partial(self._on_answer, worker, job.piece, is_answered))

    def _withdraw(self, worker: int, piece: Piece) -> None:
        waiting = [job for job in self._inside[worker][1:] if job.piece is piece]
        for job in waiting:
            self._inside[worker].remove(job)
        self._later(self._latency, partial(self._withdrawn, worker, piece, bool(waiting)))

    def _later(self, seconds: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self._clock + seconds, next(self._order), happen))


def share_of_ideal(seed: int, workers: int, sigma: float, each: int, latency: float, with_copies: bool) -> float:
    """The share of the ideal that one simulated run reaches, in (0, 1].

    Args:
        seed: of speeds and work; the same with and without copies.
        sigma: of the workers' lognormal speeds.
        each: pieces a worker, on average.
    """
    chance = np.random.default_rng(seed)
    speeds = chance.lognormal(0, sigma, workers).tolist()
    pieces = unlike_pieces(workers * each)
    work = dict(zip(pieces, (MEDIAN * chance.lognormal(0, SPREAD, len(pieces))).tolist(), strict=True))
    ideal = float(sum(work.values()) / sum(speeds))
    return ideal / Simulation(speeds, latency, with_copies).run(work)


def unlike_pieces(number: int) -> list[Piece]:
    """Pieces of as many blocks, which share no prefix."""
    blocks = (PromptBlock(f"rules {block}" * 40, ("?",)) for block in range(number))
    return [piece for block in blocks for piece in cut(block, Decoding(max_new_tokens=1), 1, _ignore)]


def _ignore(news: News) -> None:
    """Nobody waits for a simulated piece's answers."""


def main() -> None:
    """Print the mean share of ideal over the seeds, and the least, without and with copies."""
    parser = argparse.ArgumentParser(prog="python -m workers.bench.dispatch_simulation", description=__doc__)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--sigma", type=float, nargs="+", default=[0.4, 0.5], help="of the workers' lognormal speeds")
    parser.add_argument("--each", type=int, nargs="+", default=[60, 30], help="pieces a worker, on average")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds a message takes, either way")
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    print(
        f"{asked.workers} workers, messages of {asked.latency:g} s, {asked.seeds} seeds; share of ideal, mean (least)"
    )
    print("sigma  pieces each  without copies   with copies")
    for sigma in asked.sigma:
        for each in asked.each:
            without, with_copies = (
                [share_of_ideal(seed, asked.workers, sigma, each, asked.latency, on) for seed in range(asked.seeds)]
                for on in (False, True)
            )
            print(f"{sigma:5g}  {each:11}  {_spoken(without):>14}  {_spoken(with_copies):>12}")


def _spoken(shares: Sequence[float]) -> str:
    return f"{fmean(shares):.1%} ({min(shares):.1%})"


if __name__ == "__main__":
    main()
