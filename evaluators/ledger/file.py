"""The ledger's file: tables, version, how it is opened to write and to read."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from configs.errors import InputError

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


STILL_FAILED = """
    FROM failures f WHERE f.run = ? AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.key = f.key)
    AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.key = f.key)"""


USAGE = "calls, prompt_tokens, cached_tokens, new_tokens, dollars, estimated"


_LOOKUP = 500  # keys a SELECT; below SQLite's oldest limit of 999 parameters


Table = Literal["prompts", "generations", "judges", "verdicts", "failures", "beside", "sessions"]


def open_to_write(path: Path) -> sqlite3.Connection:
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


def add_dollars(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


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
