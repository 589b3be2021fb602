"""What the workers are doing, for people who watch."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkersActivity:
    """A snapshot.

    Attributes:
        alive: workers that have loaded their model and answer.
        busy: of those, workers that have something to do.
        queued: pieces of blocks that no worker has begun.
        restarts: workers lost and started again, or being started again, since the beginning.
        tokens: tokens generated since the beginning, of completions received; what was generated twice counts once.
        copied: pieces given to a second worker since the beginning, because it could be expected to end them sooner.
        seconds_alive: sum over the workers of how long they have been alive.
        seconds_busy: of these, how long they have been busy.
    """

    alive: int = 0
    busy: int = 0
    queued: int = 0
    restarts: int = 0
    tokens: int = 0
    copied: int = 0
    seconds_alive: float = 0.0
    seconds_busy: float = 0.0

    @property
    def idle_share(self) -> float | None:
        """Of the time the workers were alive, in [0, 1]; None when none has been alive yet."""
        return 1 - self.seconds_busy / self.seconds_alive if self.seconds_alive else None


class Timesheet:
    """Adds up how long workers are alive and busy.

    Attributes:
        alive: seconds, summed over the workers.
        busy: of these.
    """

    def __init__(self) -> None:
        self.alive = self.busy = 0.0
        self._now = (0, 0)
        self._since = time.monotonic()

    def note(self, alive: int, busy: int) -> None:
        """From now on, this many workers are alive and this many of them busy."""
        now = time.monotonic()
        seconds, self._since = now - self._since, now
        self.alive += seconds * self._now[0]
        self.busy += seconds * self._now[1]
        self._now = (alive, busy)
