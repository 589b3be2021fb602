"""How fast each worker has been lately, so that one can foresee when it will be done."""

from collections import defaultdict, deque
from statistics import fmean

OWN, ALL = 8, 64  # pieces remembered: of a worker, and of all workers together


class Throughput:
    """Seconds a suffix, of the last pieces done."""

    def __init__(self) -> None:
        self._all: deque[float] = deque(maxlen=ALL)
        self._own: defaultdict[int, deque[float]] = defaultdict(lambda: deque(maxlen=OWN))

    def note(self, worker: int, seconds: float, suffixes: int) -> None:
        """Note how long the worker took to do a piece of so many suffixes."""
        self._all.append(seconds / suffixes)
        self._own[worker].append(seconds / suffixes)

    def of(self, worker: int) -> float | None:
        """A worker's seconds a suffix; of one not yet known the mean of all; None when nothing is known of anyone."""
        seconds = self._own.get(worker) or self._all
        return fmean(seconds) if seconds else None

    def forget(self, worker: int) -> None:
        """Forget a worker, which may come back elsewhere."""
        self._own.pop(worker, None)
