"""Garbage collections that leave alone what a search has loaded."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Keep garbage collections from what exists already while this is open.

    A full collection holds every thread of the process, the event loop's too, for as long as it takes to look at all
    objects. Libraries and a model are 220,000 of them with Ray and 510,000 with torch, and none is garbage before the
    end; what is garbage already stays until then.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
