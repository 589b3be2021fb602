"""Garbage collections that leave alone what a search has loaded."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_open_count = 0


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Keep garbage collections from what exists already while this is open.

    A full collection holds every thread of the process, the event loop's too, for as long as it takes to look at all
    objects. Libraries and a model are 220,000 of them with Ray and 510,000 with torch, and none is garbage before the
    end; what is garbage already stays until then. The last of several that are open at once ends it for all.
    """
    global _open_count  # noqa: PLW0603 - as the frozen generation is, of the whole process
    with _lock:
        _open_count += 1
        gc.freeze()
    try:
        yield
    finally:
        with _lock:
            _open_count -= 1
            if not _open_count:
                gc.unfreeze()
