"""Ledgers of other runs that a run may read: what they hold it takes over into its own, and does not pay for again."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluators.ledger.file import SCHEMA_VERSION, Table, look_up

_OWNER: dict[Table, tuple[Table, str]] = {"generations": ("prompts", "prompt"), "verdicts": ("judges", "judge")}
"""The table of what rows share, and the column that names it."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Rows found in another ledger.

    Attributes:
        rows: the columns that were asked for.
        whole: rows of all columns, by table, to be kept; they name the run that paid for them.
    """

    rows: list[tuple[Any, ...]]
    whole: list[tuple[Table, tuple[Any, ...]]]


class LedgersBeside:
    """Other ledgers, opened when something is first looked for; one that cannot be read is left out.

    Args:
        paths: of the files.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._open: list[sqlite3.Connection] | None = None

    def find(self, columns: str, table: Table, keys: Sequence[bytes]) -> TakenOver:
        """The rows with these keys, each from the first ledger that has it.

        Args:
            columns: the first of them is `key`.
        """
        taken, left = TakenOver([], []), list(keys)
        for ledger in self._opened():
            if not left:
                break
            with suppress(sqlite3.Error):  # damaged, or gone meanwhile: whoever looks pays instead
                rows = list(look_up(ledger, columns, table, left))
                whole = [*_whole(ledger, table, [row[0] for row in rows])]
                taken.rows.extend(rows)
                taken.whole.extend(whole)
                stored = {row[0] for row in rows}
                left = [key for key in left if key not in stored]
        return taken

    def _opened(self) -> list[sqlite3.Connection]:
        if self._open is None:
            self._open = [ledger for path in self._paths if (ledger := _connected(path)) is not None]
        return self._open

    def close(self) -> None:
        """Give the files back. Idempotent."""
        for ledger in self._open or ():
            ledger.close()
        self._open = []


def _whole(ledger: sqlite3.Connection, table: Table, keys: Sequence[bytes]) -> Iterator[tuple[Table, tuple[Any, ...]]]:
    owner, column = _OWNER[table]
    for row in look_up(ledger, "*", table, keys):
        yield table, row
    names = {row[0] for row in look_up(ledger, column, table, keys)}
    for name in sorted(names):
        query = f"SELECT * FROM {owner} WHERE digest = ?"  # noqa: S608 -- constants
        yield from ((owner, row) for row in ledger.execute(query, (name,)))


def _connected(path: Path) -> sqlite3.Connection | None:
    try:
        ledger = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=60, check_same_thread=False)
        if ledger.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            return ledger
        ledger.close()
    except (sqlite3.Error, OSError):
        pass
    return None
