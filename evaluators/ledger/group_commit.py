"""Rows on their way to the disk: one thread writes, and what arrives while it is busy shares its next transaction."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from configs.errors import RunStopped
from evaluators.ledger.file import Table

Row = tuple[Table, tuple[Any, ...]]


class GroupCommit:
    """Writes rows in the order in which they are kept.

    Args:
        path: of the ledger, for people.
        write: one transaction; called in a thread.
    """

    def __init__(self, path: Path, write: Callable[[list[Row]], None]) -> None:
        self._path = path
        self._write = write
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._waiting: list[Row] = []
        self._next_commit: asyncio.Future[None] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._broken: Exception | None = None  # noted by the thread, which may be all that knows of it

    def keep(self, row: Row) -> "asyncio.Future[None]":
        """Done when the row, and everything kept before it, is durable; raises RunStopped when the disk does not take
        it."""
        self._waiting.append(row)
        kept = asyncio.shield(self._commit_waiting())
        kept.add_done_callback(_see)
        return kept

    async def flush(self) -> None:
        """Return when everything kept so far is durable. Raises RunStopped when any of it could not be written."""
        if self._waiting:  # also rows whose commit was given up
            await asyncio.shield(self._commit_waiting())
        elif self._committing is not None:
            await asyncio.shield(self._committing)
        if self._broken is not None:
            raise self._broken

    async def close(self) -> None:
        """Write what waits, also rows whose commit was given up; all the same when this is given up.

        Raises:
            RunStopped: anything was lost, ever; whoever waited for it may have been cancelled.
        """
        try:
            while self._waiting or self._committing is not None:
                if self._waiting:
                    self._commit_waiting()
                if self._committing is not None:
                    await asyncio.wait([self._committing])  # it may be given up meanwhile, and leave rows
        finally:
            self._thread.shutdown()
            self._write_rest()
            if self._broken is not None:
                raise self._broken

    def _write_rest(self) -> None:
        """Write what waits in this thread, and tell whoever waits for it: the other thread takes no more."""
        rest, self._waiting = self._waiting, []
        commit, self._next_commit = self._next_commit, None
        try:
            if rest:
                self._write_batch(iter([rest]))
        finally:
            if commit is not None:
                self._settle(commit)

    def _commit_waiting(self) -> "asyncio.Future[None]":
        """The commit of everything that waits; somebody is at work on it from here on."""
        if self._next_commit is None:
            self._next_commit = asyncio.get_running_loop().create_future()
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())
            self._committing.add_done_callback(self._end_given_up)
        return self._next_commit

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._next_commit is not None:
                batch, commit = iter([self._waiting]), self._next_commit
                self._waiting, self._next_commit = [], None
                try:
                    await loop.run_in_executor(self._thread, self._write_batch, batch)
                except Exception as error:  # whatever it is, everyone who waits must hear of it
                    self._broken = error
                except asyncio.CancelledError:  # everything is given up: whoever waits must not wait for ever
                    commit.cancel()
                    self._waiting = next(batch, []) + self._waiting
                    raise
                self._settle(commit)
        finally:
            self._committing = None

    def _settle(self, commit: "asyncio.Future[None]") -> None:
        if self._broken is None:
            commit.set_result(None)
        else:  # rows have been lost: nothing kept later may count as durable
            commit.set_exception(self._broken)
            commit.exception()  # marks it as seen: whoever kept a row may have been cancelled meanwhile

    def _write_batch(self, batch: Iterator[list[Row]]) -> None:
        """Write the rows that the batch holds, unless who gave it up has taken them back: whoever is first has them."""
        rows = next(batch, [])
        if self._broken is not None:
            raise self._broken
        try:
            self._write(rows)
        except Exception as error:
            full = RunStopped(f"the ledger {self._path} cannot be written ({error}): {_REMEDY}")
            self._broken = full if isinstance(error, sqlite3.Error) else error
            raise self._broken from error

    def _end_given_up(self, committing: "asyncio.Task[None]") -> None:
        """Let nobody wait for a commit that is not to come: a task that is cancelled leaves the rows that were kept
        meanwhile, and one that had not begun leaves all of them."""
        if committing.cancelled() and self._committing in (None, committing):
            self._committing = None
            if self._next_commit is not None:
                self._next_commit.cancel()
                self._next_commit = None


_REMEDY = "free some disk space, then go on; everything kept before is safe"


def _see(kept: "asyncio.Future[None]") -> None:
    """An error is `flush`'s to raise: asyncio need not complain where nobody waits for this row alone."""
    if not kept.cancelled():
        kept.exception()
