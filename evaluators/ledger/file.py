"""The ledger's file: tables, version, how it is opened to write and to read."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any, Literal

from configs.atomic_file import replacing
from configs.errors import InputError
from configs.text_files import why

SCHEMA_VERSION = 4


_SCHEMA = """
CREATE TABLE IF NOT EXISTS prompts (digest BLOB PRIMARY KEY, model TEXT, decoding TEXT, prefix TEXT);
CREATE TABLE IF NOT EXISTS generations (
    key BLOB PRIMARY KEY, run TEXT, prompt BLOB, question TEXT, text TEXT,
    prompt_tokens INTEGER, new_tokens INTEGER, finish TEXT, estimated INTEGER, dollars REAL, created REAL,
    reply_model TEXT);
CREATE TABLE IF NOT EXISTS judges (digest BLOB PRIMARY KEY, fingerprint TEXT);
CREATE TABLE IF NOT EXISTS verdicts (
    key BLOB PRIMARY KEY, run TEXT, judge BLOB, question TEXT, generation BLOB, score REAL, words TEXT,
    calls INTEGER, prompt_tokens INTEGER, cached_tokens INTEGER, new_tokens INTEGER, dollars REAL, estimated INTEGER,
    created REAL, reply_model TEXT);
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


_LATER = """
CREATE TABLE IF NOT EXISTS drafting (id TEXT PRIMARY KEY, run TEXT, tokens INTEGER, passes INTEGER, drafted INTEGER);
"""
"""A table that ledgers made without it get when they are next written."""


_INDEXES = """
CREATE INDEX IF NOT EXISTS generations_of_run
    ON generations (run, prompt_tokens, new_tokens, dollars, estimated);
CREATE INDEX IF NOT EXISTS verdicts_of_run
    ON verdicts (run, calls, prompt_tokens, cached_tokens, new_tokens, dollars, estimated);
CREATE INDEX IF NOT EXISTS failures_of_run ON failures (run, key);
"""
"""What a run has spent is summed over an index alone; a ledger made without them gets them when it is next written."""


STILL_FAILED = """
    FROM failures f WHERE f.run = ? AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.key = f.key)
    AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.key = f.key)"""


USAGE = "calls, prompt_tokens, cached_tokens, new_tokens, dollars, estimated"


_SUFFIXES = ("", "-journal", "-wal", "-shm")  # of the files that SQLite makes of one database

_LOOKUP = 500  # keys a SELECT; below SQLite's oldest limit of 999 parameters


Table = Literal["prompts", "generations", "judges", "verdicts", "failures", "beside", "sessions", "drafting"]


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open the ledger at `path`, made where there is none; what a killed process has left half done is taken back.

    Raises:
        InputError: it is no ledger, of another version, or cannot be opened or made.
    """
    try:
        with _opening_lock(path):  # SQLite does not wait for others while it changes its mode
            if not path.exists():
                _make(path)
            connection = _connect_to_write(path)
            _make_tables(connection, path)  # where an older process was killed before it had made them all
    except (sqlite3.Error, OSError) as error:
        raise InputError(
            f"the ledger {path} cannot be opened ({why(error)}): check that it is an SQLite file on a local disk with "
            "free space"
        ) from error
    return connection


def _make(path: Path) -> None:
    """Make an empty ledger under another name first, so that `path` is whole or not there at all."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size:
        raise InputError(
            f"the ledger {path} is missing, but {path.name}-wal, which belongs to it, is there: restore both from a "
            f"copy, or delete {path.name}-wal to begin with an empty ledger"
        )
    with replacing(path) as draft:
        for suffix in _SUFFIXES:
            Path(f"{draft}{suffix}").unlink(missing_ok=True)
        with closing(_connect_to_write(draft)) as connection:
            _make_tables(connection, draft)


def _connect_to_write(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    if not _checked_version(connection, path):
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.executescript(_LATER + _INDEXES)


def add_dollars(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _checked_version(ledger: sqlite3.Connection, path: Path) -> int:
    """Ours, or 0 before it is made."""
    version = int(ledger.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, SCHEMA_VERSION):
        raise InputError(
            f"the ledger {path} has version {version}, this version of demosearch reads and writes {SCHEMA_VERSION}: "
            "use the one that made it, or start a new run with a ledger of its own"
        )
    return version


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The ledger at `path` as it is at one moment, whoever writes it; None where nothing has been kept yet.

    It may lie on a disk that takes no writes, and may have been left behind by a process that was killed.

    Raises:
        InputError: it is damaged, no ledger, or of another version.
    """
    if not path.exists():
        yield None
        return
    try:
        with _opened_to_read(path) as ledger:
            yield ledger if _checked_version(ledger, path) else None
    except (sqlite3.Error, OSError) as error:
        restore = f"restore it, and {path.name}-wal if there is one, from a copy"
        if isinstance(error, PermissionError):
            restore = "make it readable"
        elif isinstance(error, sqlite3.OperationalError | OSError):  # the disk's fault, more often than the file's
            restore = f"free some disk space, here and for temporary files; where there is some, {restore}"
        raise InputError(f"the ledger {path} cannot be read ({why(error)}): {restore}") from error


@contextmanager
def _opened_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    for opened in (_as_it_is, _taken_back):
        try:
            ledger = opened(path)
        except (
            sqlite3.OperationalError,
            OSError,
        ):  # a rollback journal of a killed process, or no place for shared memory
            continue
        with closing(ledger):
            yield ledger
        return
    with TemporaryDirectory(prefix="demosearch-") as folder:  # on a disk that takes no writes
        for suffix in ("", "-wal", "-journal"):
            if (source := Path(f"{path}{suffix}")).exists():
                copyfile(source, Path(folder, f"{path.name}{suffix}"))
        with closing(_taken_back(Path(folder, path.name))) as ledger:
            yield ledger


def _as_it_is(path: Path) -> sqlite3.Connection:
    companions = (Path(f"{path}{suffix}") for suffix in ("-journal", "-wal"))
    is_whole = not any(file.exists() and file.stat().st_size for file in companions)
    if is_whole and not os.access(path.parent, os.W_OK):
        return _begun(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True))
    return _begun(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=60))


def _taken_back(path: Path) -> sqlite3.Connection:
    """Have SQLite take back what was half written, which a connection that only reads cannot."""
    with _opening_lock(path):
        return _begun(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=60))


def _opening_lock(path: Path) -> AbstractContextManager[Any]:
    """Raises TimeoutError where another process holds it for a minute."""
    from filelock import FileLock  # noqa: PLC0415 -- it takes asyncio, which who only reads does without

    return FileLock(f"{path}.opening", timeout=60)


def _begun(connection: sqlite3.Connection) -> sqlite3.Connection:
    try:
        connection.execute("BEGIN")  # one moment for all that is read
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def look_up(ledger: sqlite3.Connection, columns: str, table: Table, keys: Sequence[bytes]) -> Iterable[tuple[Any, ...]]:
    """Columns of the rows with one of these keys, in no order."""
    for start in range(0, len(keys), _LOOKUP):
        some = keys[start : start + _LOOKUP]
        marks = ",".join("?" * len(some))
        yield from ledger.execute(f"SELECT {columns} FROM {table} WHERE key IN ({marks})", some)  # noqa: S608 -- constants
