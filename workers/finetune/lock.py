"""One process at a time in a training's folder."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Have the folder, which is made where there is none, for as long as this is open. Another process that has it is
    waited for, however long it trains; one that was killed has it no more, since the system lets its lock go."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("another process trains in %s: waiting until it is done", folder)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
