"""Rows on their way to the disk are written and acknowledged, whoever is cancelled."""

import asyncio
import threading
from pathlib import Path

import pytest

from evaluators.ledger.group_commit import GroupCommit, Row

ROWS: list[Row] = [("generations", (1,)), ("generations", (2,))]


def test_rows_that_a_cancelled_close_writes_are_acknowledged_and_no_later_close_complains() -> None:
    released = threading.Event()
    written: list[Row] = []

    def write(rows: list[Row]) -> None:
        released.wait()
        written.extend(rows)

    async def scenario() -> None:
        commits = GroupCommit(Path("ledger"), write)
        first = commits.keep(ROWS[0])
        await asyncio.sleep(0)  # its commit begins
        second = commits.keep(ROWS[1])
        closing = asyncio.create_task(commits.close())
        await asyncio.sleep(0)
        closing.cancel()
        released.set()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await asyncio.gather(first, second)
        await commits.close()

    asyncio.run(scenario())
    assert written == ROWS


def test_rows_that_a_cancelled_close_cannot_write_fail_for_whoever_kept_them() -> None:
    released = threading.Event()

    def write(rows: list[Row]) -> None:
        released.wait()
        if ROWS[1] in rows:
            raise OSError("full")

    async def scenario() -> None:
        commits = GroupCommit(Path("ledger"), write)
        first = commits.keep(ROWS[0])
        await asyncio.sleep(0)
        second = commits.keep(ROWS[1])
        closing = asyncio.create_task(commits.close())
        await asyncio.sleep(0)
        closing.cancel()
        released.set()
        with pytest.raises(OSError, match="full"):
            await closing
        with pytest.raises(OSError, match="full"):
            await second
        await asyncio.wait([first])  # nobody waits for ever

    asyncio.run(scenario())
