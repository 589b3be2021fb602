"""One process of a simulated search, and how it ends."""

import asyncio
import os
import random
import resource
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from warnings import catch_warnings

from configs.errors import AlreadyClosed, InputError, RunStopped
from search.bench.faults.disk import left_of_append, left_of_commit, read_files, same_bytes
from search.bench.faults.files import ReplacedFiles
from search.bench.faults.loop import Killed, Order, VirtualLoop
from search.bench.faults.search import JOURNAL, LEDGER
from search.running.launch import InLoop

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fate:
    """What befalls a process.

    Attributes:
        killed_before: this step of its loop, from 1.
        killed_in: this "commit", write to the "journal", or call that makes another "file" durable, from 0: what it
            writes is not synchronised yet, or its caller does not learn that it was.
        told_to_end: before these steps; the first time its work is cancelled, the second time everything is.
        full_from: writing call from which the disk takes no byte more.
    """

    killed_before: int | None = None
    killed_in: tuple[str, int] | None = None
    told_to_end: tuple[int, ...] = ()
    full_from: int | None = None
    order: Order = "oldest"


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How a process ended, and what it left.

    Attributes:
        how: "stopped" by its own decision, "interrupted" by being told to.
        files: that are there now.
        steps, writes: made; these by what was written.
        committed: virtual time at which the last commit that its caller has learned of was asked for.
        times_told: to end.
        disk_full: the disk took nothing more at the end.
        unheard: errors that came to nobody's ears, also behind a consequence; but for those of a killed process.
    """

    how: Literal["finished", "stopped", "interrupted", "killed"]
    files: dict[str, bytes]
    steps: int
    writes: dict[str, int]
    committed: float
    times_told: int
    disk_full: bool
    unheard: tuple[str, ...]


class Process:
    """Works in a folder until its fate, or the end.

    Args:
        draw: decides everything that is left open.
        say: is told of every step.
        synchronises: as `ReplacedFiles` has it.
    """

    def __init__(
        self, folder: Path, fate: Fate, draw: random.Random, say: Say | None = None, *, synchronises: bool = True
    ) -> None:
        self._folder, self._fate, self._draw, self._say = folder, fate, draw, say
        self._left: dict[str, bytes] | None = None  # by the kill
        self._journal_path = str(folder / JOURNAL)
        self._journal, self._journal_seen = self._read_journal(), self._journal_mark()
        self._writes = Counter[str]()
        self._committed = 0.0
        self._heard = 0
        self._is_full = False
        self._main: asyncio.Task[Any] | None = None
        self._files = ReplacedFiles(folder, self._before_file, self._after_file, synchronises)
        self._loop = VirtualLoop(draw, fate.order, self._before_step, self._around)
        self._unheard: list[str] = []
        self._loop.set_exception_handler(self._hear_error)

    def run(self, work: Callable[[InLoop], None]) -> ProcessEnd:
        """Do the work, to the end or not.

        Args:
            work: of the whole process; does what is asynchronous in the loop that it is given.
        """
        how: Literal["finished", "stopped", "interrupted", "killed"] = "finished"
        try:
            with _old_limit(), self._files.watched():
                work(self._in_loop)
        except Killed:
            how = "killed"
        except AlreadyClosed as consequence:
            self._unheard += [] if self._heard else [f"the reason for: {consequence}"]
            how = "interrupted"
        except RunStopped as stop:
            self._tell(f"stopped: {stop}")
            how = "stopped"
        except InputError as refusal:
            if not self._is_full:  # on a full disk a ledger may not even be read
                raise
            self._tell(f"refused: {refusal}")
            how = "stopped"
        except (asyncio.CancelledError, KeyboardInterrupt):
            how = "interrupted"
        finally:
            files = read_files(self._folder) if self._left is None else self._left
            self._forsake()
        return ProcessEnd(
            how,
            files,
            self._loop.steps,
            self._writes,
            self._committed,
            self._heard,
            self._is_full,
            tuple(self._unheard),
        )

    def _in_loop(self, work: Callable[[], Coroutine[Any, Any, None]], at_once: Callable[[], None]) -> None:  # noqa: ARG002 -- InLoop
        """Do the work, cancel all that is left after an interruption and wait for it, as `asyncio.Runner` does."""
        self._main = self._loop.create_task(work())
        try:
            self._loop.run_until_complete(self._main)
        finally:
            if self._left is None:
                self._loop.cancel_all()
                self._loop.run_ready()
                if not self._main.cancelled() and (failure := self._main.exception()) is not None:
                    raise failure  # also what it raised while it was given up

    def _before_step(self, number: int, name: str) -> None:
        if self._left is not None:
            raise Killed
        self._notice_journal()
        if number == self._fate.killed_before:
            self._die(read_files(self._folder), f"killed before step {number}")
        self._tell(f"{self._loop.time():10.4f} step {number} {name}")
        if number in self._fate.told_to_end and self._main is not None and not self._main.done():
            self._heard += 1
            self._tell(f"told to end, {self._heard}")
            if self._heard > 1:
                raise KeyboardInterrupt
            self._main.cancel()

    def _notice_journal(self) -> None:
        """The last step may have written a record, which is synchronised before it returns."""
        if (mark := self._journal_mark()) == self._journal_seen:
            return
        self._journal_seen = mark
        before, self._journal = self._journal, self._read_journal()
        if before == self._journal:
            return
        self._count_write("journal")
        if ("journal", self._writes["journal"] - 1) == self._fate.killed_in:
            left = read_files(self._folder) | {JOURNAL: self._left_of_journal(before)}
            self._die(self._files.left(left, self._draw), "killed while it wrote its journal")

    def _left_of_journal(self, before: bytes) -> bytes:
        """Each line is synchronised before the next one is written."""
        same = same_bytes(before, self._journal)
        ends = [at + 1 for at in range(same, len(self._journal)) if self._journal[at : at + 1] == b"\n"]
        last = self._draw.randrange(len(ends)) if ends else 0
        if last:
            before = self._journal[: ends[last - 1]]
        return left_of_append(before, self._journal[: ends[last]] if ends else self._journal, self._draw)

    def _journal_mark(self) -> tuple[int, int]:
        """What tells two states of the journal apart, sooner than reading it: before every step."""
        try:
            status = os.stat(self._journal_path)  # noqa: PTH116 -- three times as fast
        except FileNotFoundError:
            return 0, 0
        return status.st_size, status.st_mtime_ns

    def _read_journal(self) -> bytes:
        try:
            descriptor = os.open(self._journal_path, os.O_RDONLY)
        except FileNotFoundError:
            return b""
        try:
            return os.read(descriptor, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def _around(self, asked: float, work: Callable[[], Any]) -> Any:
        is_last = ("commit", self._writes["commit"]) == self._fate.killed_in
        before = read_files(self._folder) if is_last else {}
        self._count_write("commit")
        result = work()
        if is_last:
            left = left_of_commit(LEDGER, before, read_files(self._folder), self._draw)
            self._left = self._files.left(left, self._draw)
            self._tell("killed while it committed")  # before the next step
        else:
            self._committed = asked
        return result

    def _before_file(self, call: str) -> None:
        if self._left is not None:
            raise Killed
        self._count_write("file")
        self._tell(call)
        self._die_in_file(last=self._draw.random() < 0.5)

    def _after_file(self) -> None:
        self._die_in_file(last=True)

    def _die_in_file(self, *, last: bool) -> None:
        if last and ("file", self._writes["file"] - 1) == self._fate.killed_in:
            self._die(self._files.left(read_files(self._folder), self._draw), "killed while it replaced a file")

    def _count_write(self, kind: str) -> None:
        if self._writes.total() == self._fate.full_from:
            self._tell("the disk is full")
            self._is_full = True
            resource.setrlimit(resource.RLIMIT_FSIZE, (self._draw.choice((0, len(self._journal) + 9)), _UNLIMITED))
        self._tell(f"{kind} {self._writes[kind]}")
        self._writes[kind] += 1

    def _die(self, left: dict[str, bytes], how: str) -> None:
        self._tell(how)
        self._left = left
        raise Killed

    def _hear_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if self._left is None:
            self._unheard.append(str(context))

    def _tell(self, event: str) -> None:
        if self._say is not None:
            self._say(event.replace(f"{self._folder}/", ""))  # a replay has another folder

    def _forsake(self) -> None:
        """A killed process puts nothing in order; what it had open is given back."""
        for task in asyncio.all_tasks(self._loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio would complain of each
            _end(task.get_coro())
        self._loop.close()


def _end(work: Any) -> None:
    """End a coroutine that awaits things even while it is ended."""
    with suppress(BaseException), catch_warnings(action="ignore", category=RuntimeWarning):
        for _ in range(_MOST_AWAITS):
            work.throw(Killed())


_MOST_AWAITS = 20
_UNLIMITED = resource.RLIM_INFINITY


@contextmanager
def _old_limit() -> Iterator[None]:
    """Files may be as long afterwards as they may be now."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
