"""What the workers are doing, for people who watch."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerActivity:
    """A snapshot of one worker.

    Attributes:
        number: its place among its colleagues, from 1.
        place: node and device, as far as it has said.
        alive: it has loaded its model and answers.
        block: the oldest block it works on, counted from 1 in the order asked; None when it has nothing to do.
        more_blocks: that it works on at the same time.
        asked: prompts of all these blocks which it was given.
        answered: of these, answered so far.
        seconds: since it began with the oldest.
        tokens: generated since the beginning, of completions received.
        passes: of the model for these, summed over the completions; 0 where nobody counts.
        drafted: tokens proposed to it from earlier answers; 0 where nobody counts.
        seconds_alive: since the beginning, through all its processes.
        seconds_busy: of these, how long it had something to do.
    """

    number: int
    place: str = ""
    alive: bool = True
    block: int | None = None
    more_blocks: int = 0
    asked: int = 0
    answered: int = 0
    seconds: float = 0.0
    tokens: int = 0
    passes: int = 0
    drafted: int = 0
    seconds_alive: float = 0.0
    seconds_busy: float = 0.0

    @property
    def idle_share(self) -> float | None:
        """The share of the time it was alive and not busy, in [0, 1]; None when it never was."""
        return idle_share(self.seconds_alive, self.seconds_busy)

    @property
    def tokens_per_pass(self) -> float | None:
        """What drafts from earlier answers bring: 1 without them; None where nobody counts passes."""
        return self.tokens / self.passes if self.passes else None

    @property
    def tokens_per_second(self) -> float | None:
        """Tokens a second while the worker had something to do; None before that."""
        return self.tokens / self.seconds_busy if self.seconds_busy else None


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
        waiting: prompts that nobody has begun to answer.
        answering: prompts that are being answered.
        workers: each of them, those that are not alive included; empty where somebody else runs them.
    """

    alive: int = 0
    busy: int = 0
    queued: int = 0
    restarts: int = 0
    tokens: int = 0
    copied: int = 0
    seconds_alive: float = 0.0
    seconds_busy: float = 0.0
    waiting: int = 0
    answering: int = 0
    workers: tuple[WorkerActivity, ...] = ()

    @property
    def idle_share(self) -> float | None:
        """The share of the time the workers were alive and not busy, in [0, 1]; None when none has been alive yet."""
        return idle_share(self.seconds_alive, self.seconds_busy)


def idle_share(alive: float, busy: float) -> float | None:
    """The share of so many seconds alive that were not busy, in [0, 1]; None of no seconds."""
    return max(0.0, 1 - busy / alive) if alive else None


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
        """Note that from now on, this many workers are alive and this many of them busy."""
        now = time.monotonic()
        seconds, self._since = now - self._since, now
        self.alive += seconds * self._now[0]
        self.busy += seconds * self._now[1]
        self._now = (alive, busy)
