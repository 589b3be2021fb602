"""How many rows of a run are durable, noted outside the ledger: what tells a ledger that has lost rows from a new one.

SQLite cannot tell. Without the -wal file that belongs to it, or as an older copy, a ledger is a sound one with fewer
rows, and whoever goes on with it pays for the missing ones again. The note is written after each transaction and never
before, so that it promises no row that was not durable; a note that is missing or damaged promises none.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from configs.atomic_file import write_whole
from configs.errors import RunStopped


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows of one run in a ledger."""

    generations: int = 0
    verdicts: int = 0

    def exceeds(self, other: "Tally") -> bool:
        """Whether it has more of anything."""
        return self.generations > other.generations or self.verdicts > other.verdicts


def write_tally(path: Path, tally: Tally) -> None:
    """Replace the note; a disk that does not take it keeps the older one, which promises less."""
    with suppress(RunStopped):
        write_whole(path, json.dumps(asdict(tally)), durable=False)


def read_tally(path: Path) -> Tally:
    """Read the note; nothing is promised where there is none, or none that can be read."""
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        return Tally(int(noted["generations"]), int(noted["verdicts"]))
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return Tally()
