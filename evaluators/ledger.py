"""The ledger: every generation and every verdict that was paid for, each on disk before anyone is told.

One SQLite file in write-ahead mode with full synchronisation: an acknowledged row survives kill -9 and loss of power.
One thread writes; rows that arrive while it is busy share its next transaction (group commit). Reading is direct.
Failures are noted for people, and never read back as results.
"""

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from configs.errors import InputError, RunStopped
from evaluators.evaluation import Failure
from evaluators.judge import Verdict
from workers.prompt import Completion

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS prompts (digest BLOB PRIMARY KEY, model TEXT, decoding TEXT, prefix TEXT);
CREATE TABLE IF NOT EXISTS generations (
    key BLOB PRIMARY KEY, run TEXT, prompt BLOB, question TEXT, text TEXT,
    prompt_tokens INTEGER, new_tokens INTEGER, finish TEXT, created REAL);
CREATE TABLE IF NOT EXISTS judges (digest BLOB PRIMARY KEY, fingerprint TEXT);
CREATE TABLE IF NOT EXISTS verdicts (
    key BLOB PRIMARY KEY, run TEXT, judge BLOB, question TEXT, generation BLOB, score REAL, words TEXT,
    prompt_tokens INTEGER, new_tokens INTEGER, created REAL);
CREATE TABLE IF NOT EXISTS failures (
    key BLOB, run TEXT, question TEXT, stage TEXT, cause TEXT, message TEXT, created REAL);
"""
_INSERTS = {
    "prompts": "INSERT OR IGNORE INTO prompts VALUES (?,?,?,?)",
    "generations": "INSERT OR IGNORE INTO generations VALUES (?,?,?,?,?,?,?,?,?)",
    "judges": "INSERT OR IGNORE INTO judges VALUES (?,?)",
    "verdicts": "INSERT OR IGNORE INTO verdicts VALUES (?,?,?,?,?,?,?,?,?,?)",
    "failures": "INSERT INTO failures VALUES (?,?,?,?,?,?,?)",
}
_STILL_FAILED = """
    FROM failures f WHERE f.run = ? AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.key = f.key)
    AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.key = f.key)"""
_LOOKUP = 500  # keys a SELECT; below SQLite's oldest limit of 999 parameters

Table = Literal["prompts", "generations", "judges", "verdicts", "failures"]
Row = tuple[Table, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Spend:
    """What a run has paid for: distinct items, and tokens as model and judge counted them."""

    generated: int = 0
    judged: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    new_tokens: int = 0
    judge_prompt_tokens: int = 0
    judge_new_tokens: int = 0


class Ledger:
    """Opens or creates the ledger at `path` for writing, on behalf of the run named `run`.

    Raises:
        InputError: the file is no ledger, of another version, or cannot be opened.
    """

    def __init__(self, path: Path, run: str) -> None:
        self._run = run
        self._path = path
        self._reader = _open(path)
        self._writer = _open(path)
        self._thread = ThreadPoolExecutor(1, "ledger")
        self._waiting: list[Row] = []
        self._next_commit: asyncio.Future[None] | None = None
        self._committing: asyncio.Task[None] | None = None
        self._broken: Exception | None = None

    def completions(self, keys: Sequence[bytes]) -> dict[bytes, Completion]:
        """Those of these generations that are known."""
        columns = "key, text, prompt_tokens, new_tokens, finish"
        return {row[0]: Completion(*row[1:]) for row in self._lookup(columns, "generations", keys)}

    def verdicts(self, keys: Sequence[bytes]) -> dict[bytes, Verdict]:
        """Those of these verdicts that are known."""
        columns = "key, score, words, prompt_tokens, new_tokens"
        return {row[0]: Verdict(*row[1:]) for row in self._lookup(columns, "verdicts", keys)}

    def _lookup(self, columns: str, table: Table, keys: Sequence[bytes]) -> Iterable[tuple[Any, ...]]:
        for start in range(0, len(keys), _LOOKUP):
            some = keys[start : start + _LOOKUP]
            marks = ",".join("?" * len(some))
            yield from self._reader.execute(f"SELECT {columns} FROM {table} WHERE key IN ({marks})", some)  # noqa: S608 -- constants

    def keep_prompt(self, digest: bytes, model: str, decoding: str, prefix: str) -> "asyncio.Future[None]":
        """Keep what a block's prompts share, once. As with every `keep`, the future is done when the row, and
        everything kept before it, is durable; it raises RunStopped when the disk does not take it."""
        return self._keep("prompts", (digest, model, decoding, prefix))

    def keep_completion(
        self, key: bytes, prompt: bytes, question: str, completion: Completion
    ) -> "asyncio.Future[None]":
        """Keep a completion."""
        row = (completion.text, completion.prompt_tokens, completion.new_tokens, completion.finish, time.time())
        return self._keep("generations", (key, self._run, prompt, question, *row))

    def keep_judge(self, digest: bytes, fingerprint: str) -> "asyncio.Future[None]":
        """Keep what all verdicts of a judge share, once."""
        return self._keep("judges", (digest, fingerprint))

    def keep_verdict(
        self, key: bytes, judge: bytes, question: str, generation: bytes, verdict: Verdict
    ) -> "asyncio.Future[None]":
        """Keep a verdict."""
        row = (verdict.score, _storable(verdict.words), verdict.prompt_tokens, verdict.new_tokens, time.time())
        return self._keep("verdicts", (key, self._run, judge, question, generation, *row))

    def keep_failure(self, key: bytes, failure: Failure) -> "asyncio.Future[None]":
        """Note a failure for people. A later success under the same key outdates it."""
        row = (failure.question, failure.stage, failure.cause, _storable(failure.message), time.time())
        return self._keep("failures", (key, self._run, *row))

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
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, SCHEMA_VERSION):
        raise InputError(f"the ledger {path} has version {version}, this demosearch writes {SCHEMA_VERSION}")
    connection.executescript(_SCHEMA)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def read_spend(path: Path, run: str) -> Spend:
    """What `run` has paid for so far, read from the ledger without disturbing whoever writes it."""
    if not _has_tables(path):
        return Spend()
    with closing(_open_to_read(path)) as ledger:
        totals = "SELECT count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(new_tokens), 0) FROM "
        generated, *tokens = ledger.execute(totals + "generations WHERE run = ?", (run,)).fetchone()
        judged, *judge_tokens = ledger.execute(totals + "verdicts WHERE run = ?", (run,)).fetchone()
        (failed,) = ledger.execute("SELECT count(DISTINCT f.key)" + _STILL_FAILED, (run,)).fetchone()
    return Spend(generated, judged, failed, *tokens, *judge_tokens)


def read_failures(path: Path, run: str) -> list[Failure]:
    """The items of `run` that have failed and not succeeded since, the latest failure of each."""
    if not _has_tables(path):
        return []
    with closing(_open_to_read(path)) as ledger:
        columns = "SELECT f.question, f.stage, f.cause, f.message, max(f.created)"
        rows = ledger.execute(columns + _STILL_FAILED + " GROUP BY f.key ORDER BY f.created", (run,)).fetchall()
    return [Failure(*row[:4]) for row in rows]


def knows_prefix(path: Path, prefix: str) -> bool:
    """Whether any prompt with exactly this prefix has been generated from."""
    with closing(_open_to_read(path)) as ledger:
        return ledger.execute("SELECT 1 FROM prompts WHERE prefix = ?", (prefix,)).fetchone() is not None


def _has_tables(path: Path) -> bool:
    """False before and while the ledger is made: its version is written last."""
    if not path.exists():
        return False
    with closing(_open_to_read(path)) as ledger:
        return bool(ledger.execute("PRAGMA user_version").fetchone()[0])


def _open_to_read(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=60)
    connection.execute("BEGIN")  # one moment for all that is read
    return connection
