"""One worker of a group, through all its processes."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from workers.activity import Timesheet, WorkerActivity
from workers.worker_group.piece import Piece
from workers.worker_group.worker_process import WorkerProcess


@dataclass(frozen=True, slots=True)
class RunningPiece:
    """A piece at a worker, with the block's indices of the suffixes that were sent."""

    piece: Piece
    indices: tuple[int, ...]


@dataclass(eq=False, slots=True)
class WorkerHandle:
    """One worker of a group, with the state of its process.

    Attributes:
        number: its place among its colleagues, from 0.
        colleagues: all workers of the worker group, itself included.
        running: what its process has been given, by job number.
        wake: set when it may have something to do.
        fed: it has answered a ping since it was last idle; what it is given is sent at once.
        placed: its present process has answered.
        place: node and device of the process that loaded the model last.
        tokens: generated, of completions received.
        passes: of the model for these.
        drafted: tokens proposed to it.
        timesheet: of this worker alone.
    """

    number: int
    process: WorkerProcess
    colleagues: Sequence["WorkerHandle"]
    running: dict[int, RunningPiece] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    fed: bool = False
    placed: bool = False
    place: str = ""
    tokens: int = 0
    passes: int = 0
    drafted: int = 0
    timesheet: Timesheet = field(default_factory=Timesheet)
    _jobs: Iterator[int] = field(default_factory=count)

    def __str__(self) -> str:
        return f"worker {self.number + 1} of {len(self.colleagues)}"

    def give(self, piece: Piece) -> None:
        """Send a piece that is in its work queue, or wake the worker up so that it is sent soon."""
        if self.fed:
            self.send(piece)
        else:
            self.wake.set()

    def send(self, piece: Piece) -> None:
        job, indices = next(self._jobs), piece.indices_for(self.number)
        self.running[job] = RunningPiece(piece, tuple(indices))
        self.process.submit(job, piece.block.select(indices), piece.task.select(indices))

    def cancel(self, piece: Piece) -> bool:
        """Have the process end it early; False when the process has never seen it."""
        job = self._job_of(piece)
        if job is None:
            return False
        self.process.cancel(job)
        return True

    async def withdraw(self, piece: Piece) -> bool:
        """Ask a piece back; False when it has begun. Raises WorkerLost."""
        job = self._job_of(piece)  # what has not been sent yet need not be asked for
        given_back = job is None or await self.process.withdraw(job)
        if given_back and job is not None:
            self.running.pop(job, None)
        return given_back

    def activity(self, alive: bool, running: Sequence[tuple[Piece, int, float]]) -> WorkerActivity:
        """What it does, for people.

        Args:
            running: as `Dispatcher.running` has it.
        """
        asked = sum(owed for _, owed, _ in running)
        return WorkerActivity(
            number=self.number + 1,
            place=self.place,
            alive=alive,
            block=running[0][0].number if running else None,
            more_blocks=len(running[1:]),
            asked=asked,
            answered=asked - sum(len(piece.unanswered) for piece, _, _ in running),
            seconds=running[0][2] if running else 0.0,
            tokens=self.tokens,
            passes=self.passes,
            drafted=self.drafted,
            seconds_alive=self.timesheet.alive,
            seconds_busy=self.timesheet.busy,
        )

    def is_lost(self) -> None:
        """Forget what its process knew."""
        self.running.clear()
        self.wake.clear()
        self.fed = self.placed = False

    def _job_of(self, piece: Piece) -> int | None:
        return next((job for job, running in self.running.items() if running.piece is piece), None)
