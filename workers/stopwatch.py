"""A stopwatch: for how long anything has been under way."""

import time
from collections.abc import Callable


class Stopwatch:
    """Runs while at least one of many things is under way.

    Args:
        clock: tells seconds.

    Attributes:
        under_way: things begun and not ended.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.under_way = 0
        self._clock = clock
        self._since = 0.0
        self._before = 0.0

    @property
    def seconds(self) -> float:
        """Seconds in which something was under way, up to now."""
        return self._before + (self._clock() - self._since if self.under_way else 0.0)

    def begin(self) -> None:
        if not self.under_way:
            self._since = self._clock()
        self.under_way += 1

    def end(self) -> None:
        """One of those begun has ended."""
        self.under_way -= 1
        if not self.under_way:
            self._before += self._clock() - self._since
