"""The ledger: every generation and every verdict that was paid for, each on disk before anyone is told.

One SQLite file in write-ahead mode with full synchronisation: an acknowledged row survives kill -9 and loss of power.
One thread writes; rows that arrive while it is busy share its next transaction (group commit). Reading is direct.
Failures are noted for people, and never read back as results.
"""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import astuple, fields, replace
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from filelock import FileLock, Timeout

from configs.errors import InputError, RunStopped
from evaluators.attendance import Attendance
from evaluators.evaluation import Failure
from evaluators.judge import Verdict
from evaluators.spend import Spend
from workers.prompt import Completion
from workers.usage import NOTHING, Usage

UNREADABLE = "VerdictUnreadable"
"""Cause of a verdict that was paid for and could not be read."""

SCHEMA_VERSION = 3
_SCHEMA = """
CREATE TABLE IF NOT EXISTS prompts (digest BLOB PRIMARY KEY, model TEXT, decoding TEXT, prefix TEXT);
CREATE TABLE IF NOT EXISTS generations (
    key BLOB PRIMARY KEY, run TEXT, prompt BLOB, question TEXT, text TEXT,
    prompt_tokens INTEGER, new_tokens INTEGER, finish TEXT, estimated INTEGER, dollars REAL, created REAL);
CREATE TABLE IF NOT EXISTS judges (digest BLOB PRIMARY KEY, fingerprint TEXT);
CREATE TABLE IF NOT EXISTS verdicts (
    key BLOB PRIMARY KEY, run TEXT, judge BLOB, question TEXT, generation BLOB, score REAL, words TEXT,
    calls INTEGER, prompt_tokens INTEGER, cached_tokens INTEGER, new_tokens INTEGER, dollars REAL, estimated INTEGER,
    created REAL);
CREATE TABLE IF NOT EXISTS failures (
    key BLOB, run TEXT, question TEXT, stage TEXT, cause TEXT, message TEXT,
    calls INTEGER, prompt_tokens INTEGER, cached_tokens INTEGER, new_tokens INTEGER, dollars REAL, estimated INTEGER,
    created REAL);
CREATE TABLE IF NOT EXISTS beside (
    run TEXT, calls INTEGER, prompt_tokens INTEGER, cached_tokens INTEGER, new_tokens INTEGER, dollars REAL,
    estimated INTEGER, created REAL);
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, run TEXT, seconds REAL, gpus REAL, gpus_busy REAL, workers REAL, workers_busy REAL,
    judge_wanted REAL, judge_busy REAL);
"""
_INSERTS = {
    "prompts": "INSERT OR IGNORE INTO prompts VALUES (?,?,?,?)",
    "generations": "INSERT OR IGNORE INTO generations VALUES (?,?,?,?,?,?,?,?,?,?,?)",
    "judges": "INSERT OR IGNORE INTO judges VALUES (?,?)",
    "verdicts": "INSERT OR IGNORE INTO verdicts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "failures": "INSERT INTO failures VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "beside": "INSERT INTO beside VALUES (?,?,?,?,?,?,?,?)",
    "sessions": "INSERT OR REPLACE INTO sessions VALUES (?,?,?,?,?,?,?,?,?)",
}
_STILL_FAILED = """
    FROM failures f WHERE f.run = ? AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.key = f.key)
    AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.key = f.key)"""
_USAGE = "calls, prompt_tokens, cached_tokens, new_tokens, dollars, estimated"
_LOOKUP = 500  # keys a SELECT; below SQLite's oldest limit of 999 parameters

Table = Literal["prompts", "generations", "judges", "verdicts", "failures", "beside", "sessions"]
Row = tuple[Table, tuple[Any, ...]]


class Ledger:
    """Opens or creates the ledger at `path` for writing, on behalf of the run named `run`.

    Raises:
        InputError: the file is no ledger, of another version, or cannot be opened.
    """

    def __init__(self, path: Path, run: str) -> None:
        self._run = run
        self._path = path
        self._session = uuid4().hex
        self._time = 0.0, 0.0  # seconds, GPU-seconds of this process
        self._reader = _open(path)
        self._writer = _open(path)
        self._spend = read_spend(path, run)
        self._unreadable = _read_unreadable(self._reader)
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._waiting: list[Row] = []
        self._next_commit: asyncio.Future[None] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._broken: Exception | None = None

    def completions(self, keys: Sequence[bytes]) -> dict[bytes, Completion]:
        """Those of these generations that are known."""
        columns = "key, text, prompt_tokens, new_tokens, finish, estimated"
        rows = look_up(self._reader, columns, "generations", keys)
        return {row[0]: Completion(row[1], row[2], row[3], row[4], bool(row[5])) for row in rows}

    def verdicts(self, keys: Sequence[bytes]) -> dict[bytes, Verdict]:
        """Those of these verdicts that are known."""
        columns = f"key, score, words, {_USAGE}"
        rows = look_up(self._reader, columns, "verdicts", keys)
        return {row[0]: Verdict(row[1], row[2], Usage(*row[3:])) for row in rows}

    def keep_prompt(self, digest: bytes, model: str, decoding: str, prefix: str) -> "asyncio.Future[None]":
        """Keep what a block's prompts share, once. As with every `keep`, the future is done when the row, and
        everything kept before it, is durable; it raises RunStopped when the disk does not take it."""
        return self._keep("prompts", (digest, model, decoding, prefix))

    def keep_completion(
        self, key: bytes, prompt: bytes, question: str, completion: Completion, dollars: float | None = 0.0
    ) -> "asyncio.Future[None]":
        """Keep a completion, with what it cost (None: not known)."""
        self._spend = replace(
            self._spend,
            generated=self._spend.generated + 1,
            prompt_tokens=self._spend.prompt_tokens + completion.prompt_tokens,
            new_tokens=self._spend.new_tokens + completion.new_tokens,
            dollars=_sum(self._spend.dollars, dollars),
            estimated=self._spend.estimated + completion.estimated,
        )
        counts = completion.prompt_tokens, completion.new_tokens, completion.finish, int(completion.estimated)
        row = (key, self._run, prompt, question, completion.text, *counts, dollars, time.time())
        return self._keep("generations", row)

    def keep_beside(self, usage: Usage) -> "asyncio.Future[None]":
        """Note what the model was paid for beside its completions."""
        self._spend = replace(
            self._spend,
            prompt_tokens=self._spend.prompt_tokens + usage.prompt_tokens,
            new_tokens=self._spend.new_tokens + usage.new_tokens,
            dollars=_sum(self._spend.dollars, usage.dollars),
            estimated=self._spend.estimated + usage.estimated,
        )
        return self._keep("beside", (self._run, *astuple(usage), time.time()))

    def keep_judge(self, digest: bytes, fingerprint: str) -> "asyncio.Future[None]":
        """Keep what all verdicts of a judge share, once."""
        return self._keep("judges", (digest, fingerprint))

    def keep_verdict(
        self, key: bytes, judge: bytes, question: str, generation: bytes, verdict: Verdict
    ) -> "asyncio.Future[None]":
        """Keep a verdict."""
        self._pay(verdict.usage, judged=1)
        row = (verdict.score, _storable(verdict.words), *astuple(verdict.usage), time.time())
        return self._keep("verdicts", (key, self._run, judge, question, generation, *row))

    def keep_failure(self, key: bytes, failure: Failure, usage: Usage = NOTHING) -> "asyncio.Future[None]":
        """Note a failure for people, and what it cost. A later success under the same key outdates it."""
        self._pay(usage)
        if failure.cause == UNREADABLE:
            self._unreadable[key] += 1
        row = (failure.question, failure.stage, failure.cause, _storable(failure.message), *astuple(usage))
        return self._keep("failures", (key, self._run, *row, time.time()))

    def keep_time(self, seconds: float, attendance: Attendance) -> "asyncio.Future[None]":
        """Note how long this process has worked on the run so far, and who was there meanwhile."""
        self._time = seconds, attendance.gpus
        return self._keep("sessions", (self._session, self._run, seconds, *astuple(attendance)))

    @property
    def spend(self) -> Spend:
        """What the run has paid for up to now; `failed` only as it was when the ledger was opened."""
        seconds, gpu_seconds = self._time
        return replace(
            self._spend,
            seconds=self._spend.seconds + seconds,
            gpu_seconds=self._spend.gpu_seconds + gpu_seconds,
        )

    def _pay(self, usage: Usage, judged: int = 0) -> None:
        self._spend = replace(
            self._spend,
            judged=self._spend.judged + judged,
            judge=self._spend.judge + usage,
            dollars=_sum(self._spend.dollars, usage.dollars),
            estimated=self._spend.estimated + usage.estimated,
        )

    def unreadable(self, key: bytes) -> int:
        """How often this verdict has been asked for and could not be read."""
        return self._unreadable[key]

    async def flush(self) -> None:
        """Return when everything kept so far is durable. Raises RunStopped when any of it could not be written."""
        if self._next_commit is not None:
            await asyncio.shield(self._next_commit)
        elif self._committing is not None:
            await asyncio.shield(self._committing)
        if self._broken is not None:
            raise self._broken

    def _keep(self, table: Table, row: tuple[Any, ...]) -> "asyncio.Future[None]":
        self._waiting.append((table, row))
        if self._next_commit is None:
            self._next_commit = asyncio.get_running_loop().create_future()
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())
        return asyncio.shield(self._next_commit)

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._next_commit is not None:
                rows, commit = self._waiting, self._next_commit
                self._waiting, self._next_commit = [], None
                try:
                    if self._broken is None:
                        await loop.run_in_executor(self._thread, self._write, rows)
                except Exception as error:  # whatever it is, everyone who waits must hear of it
                    full = RunStopped(f"the ledger {self._path} cannot be written ({error}): {_REMEDY}")
                    self._broken = full if isinstance(error, sqlite3.Error) else error
                if self._broken is None:
                    commit.set_result(None)
                else:  # rows have been lost: nothing kept later may count as durable
                    commit.set_exception(self._broken)
                    commit.exception()  # marks it as seen: whoever kept a row may have been cancelled meanwhile
        finally:
            self._committing = None

    def _write(self, rows: list[Row]) -> None:
        with self._writer:
            for table, statement in _INSERTS.items():
                some = [row for name, row in rows if name == table]
                if some:
                    self._writer.executemany(statement, some)

    async def close(self) -> None:
        """Wait for the rows under way and close the file. Idempotent."""
        while self._committing is not None:
            await asyncio.shield(self._committing)
        self._thread.shutdown()
        self._writer.close()
        self._reader.close()


def _storable(text: str) -> str:
    """A service's JSON may hold half a character (a lone surrogate), which no file takes."""
    return text.encode("utf-8", "replace").decode()


_REMEDY = "free some disk space, then `demosearch resume`; everything kept before is safe"


def _open(path: Path) -> sqlite3.Connection:
    try:
        with FileLock(f"{path}.opening", timeout=60):  # SQLite does not wait for others while it changes its mode
            connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            _make_tables(connection, path)
    except (sqlite3.Error, OSError, Timeout) as error:
        raise InputError(
            f"the ledger {path} cannot be opened ({error}): is it an SQLite file on a local disk?"
        ) from error
    return connection


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    _checked_version(connection, path)
    connection.executescript(_SCHEMA)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def read_spend(path: Path, run: str) -> Spend:
    """What `run` has paid for so far, read from the ledger without disturbing whoever writes it."""
    if not has_tables(path):
        return Spend()
    with closing(open_to_read(path)) as ledger:
        generations = (
            "SELECT count(*), sum(prompt_tokens), sum(new_tokens), sum(dollars), count(dollars), sum(estimated)"
        )
        generated, read, written, paid, priced, guessed = _totals(
            ledger, generations + " FROM generations WHERE run = ?", run
        )
        _, beside = _usage_totals(ledger, "beside", run)
        judged, judge = _usage_totals(ledger, "verdicts", run)
        _, wasted = _usage_totals(ledger, "failures", run)
        (failed,) = _totals(ledger, "SELECT count(DISTINCT f.key)" + _STILL_FAILED, run)
        seconds, gpu = _totals(ledger, "SELECT sum(seconds), sum(gpus) FROM sessions WHERE run = ?", run)
    dollars = None if priced < generated else float(paid)
    judge += wasted
    return Spend(
        generated=generated,
        judged=judged,
        failed=failed,
        prompt_tokens=read + beside.prompt_tokens,
        new_tokens=written + beside.new_tokens,
        judge=judge,
        dollars=_sum(_sum(dollars, beside.dollars), judge.dollars),
        seconds=seconds,
        gpu_seconds=gpu,
        estimated=guessed + beside.estimated + judge.estimated,
    )


def read_attendance(path: Path, run: str) -> Attendance:
    """Who was there while `run` was worked on, all its processes together."""
    if not has_tables(path):
        return Attendance()
    sums = ", ".join(f"sum({one.name})" for one in fields(Attendance))
    with closing(open_to_read(path)) as ledger:
        return Attendance(*_totals(ledger, f"SELECT {sums} FROM sessions WHERE run = ?", run))  # noqa: S608 -- constants


def _usage_totals(ledger: sqlite3.Connection, table: Table, run: str) -> tuple[int, Usage]:
    """Rows, and what they cost together."""
    sums = ", ".join(f"sum({column})" for column in _USAGE.split(", "))
    query = f"SELECT count(*), count(dollars), {sums} FROM {table} WHERE run = ?"  # noqa: S608 -- constants
    rows, priced, calls, read, cached, written, paid, estimated = _totals(ledger, query, run)
    return rows, Usage(calls, read, cached, written, None if priced < rows else float(paid), estimated)


def _read_unreadable(ledger: sqlite3.Connection) -> Counter[bytes]:
    query = "SELECT key, count(*) FROM failures WHERE cause = ? GROUP BY key"
    return Counter(dict(ledger.execute(query, (UNREADABLE,))))


def _totals(ledger: sqlite3.Connection, query: str, run: str) -> list[Any]:
    """The sums of a query's only row; sums over nothing are 0."""
    return [value or 0 for value in ledger.execute(query, (run,)).fetchone()]


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def read_failures(path: Path, run: str) -> list[Failure]:
    """The items of `run` that have failed and not succeeded since, the latest failure of each."""
    if not has_tables(path):
        return []
    with closing(open_to_read(path)) as ledger:
        columns = "SELECT f.question, f.stage, f.cause, f.message, max(f.created)"
        rows = ledger.execute(columns + _STILL_FAILED + " GROUP BY f.key ORDER BY f.created", (run,)).fetchall()
    return [Failure(*row[:4]) for row in rows]


def last_run(path: Path) -> str | None:
    """The run that generated last; None where nobody has."""
    if not has_tables(path):
        return None
    with closing(open_to_read(path)) as ledger:
        row = ledger.execute("SELECT run FROM generations ORDER BY created DESC LIMIT 1").fetchone()
    return None if row is None else str(row[0])


def knows_prefix(path: Path, prefix: str) -> bool:
    """Whether any prompt with exactly this prefix has been generated from."""
    with closing(open_to_read(path)) as ledger:
        return ledger.execute("SELECT 1 FROM prompts WHERE prefix = ?", (prefix,)).fetchone() is not None


def has_tables(path: Path) -> bool:
    """False before and while the ledger is made: its version is written last. Raises InputError where it is another
    version than ours."""
    if not path.exists():
        return False
    with closing(open_to_read(path)) as ledger:
        return bool(_checked_version(ledger, path))


def _checked_version(ledger: sqlite3.Connection, path: Path) -> int:
    """Ours, or 0 before it is made."""
    version = int(ledger.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, SCHEMA_VERSION):
        raise InputError(
            f"the ledger {path} has version {version}, this demosearch reads and writes {SCHEMA_VERSION}: use the "
            "demosearch that made it, or start a new run with a ledger of its own"
        )
    return version


def open_to_read(path: Path) -> sqlite3.Connection:
    """The ledger at `path`, which others may be writing; to be closed."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=60)
    connection.execute("BEGIN")  # one moment for all that is read
    return connection


def look_up(ledger: sqlite3.Connection, columns: str, table: Table, keys: Sequence[bytes]) -> Iterable[tuple[Any, ...]]:
    """These columns of the rows with one of these keys, in no order."""
    for start in range(0, len(keys), _LOOKUP):
        some = keys[start : start + _LOOKUP]
        marks = ",".join("?" * len(some))
        yield from ledger.execute(f"SELECT {columns} FROM {table} WHERE key IN ({marks})", some)  # noqa: S608 -- constants
