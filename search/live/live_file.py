"""How a run stands now, left in its directory for whoever watches from another process.

Nobody relies on it: it is written without waiting for the disk, what is absent or of another version only leaves
nothing to show, and it is removed at the end. After a crash it stays, and tells when the coordinator was last seen.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import TypeAdapter, ValidationError

from configs.atomic_file import write_whole
from configs.errors import RunStopped
from search.live.snapshot import Snapshot

LIVE = "live.json"
_SECONDS_A_LOOK = 1.0


class LiveFile:
    """A view for other processes: a file, written anew at most once a second, all of it or nothing. What an earlier
    process has left there is removed at once.

    Args:
        folder: the run's.
        clock: tells seconds.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = folder / LIVE
        self._clock = clock
        self._next = 0.0
        self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def show(self, snapshot: Snapshot) -> None:
        if self._clock() < self._next:
            return
        self._next = self._clock() + _SECONDS_A_LOOK
        if not self._path.parent.is_dir():
            return
        with suppress(RunStopped):  # a full disk stops the search elsewhere, and says so there
            write_whole(self._path, json.dumps(_form().dump_python(snapshot)), durable=False)

    def _remove(self) -> None:
        with suppress(OSError):
            self._path.unlink()


def read_live(folder: Path) -> Snapshot | None:
    """What was last left in this run directory; None where there is nothing that can be read."""
    try:
        return _form().validate_json((folder / LIVE).read_bytes())
    except (OSError, ValidationError):
        return None


@cache
def _form() -> TypeAdapter[Snapshot]:
    return TypeAdapter(Snapshot)
