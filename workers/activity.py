"""What the workers are doing, for people who watch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkersActivity:
    """A snapshot.

    Attributes:
        alive: workers that have loaded their model and answer.
        busy: of those, workers that are generating.
        queued: pieces of blocks that no worker has begun.
        restarts: workers lost and started again, or being started again, since the beginning.
        tokens: tokens generated since the beginning, of completions received.
    """

    alive: int = 0
    busy: int = 0
    queued: int = 0
    restarts: int = 0
    tokens: int = 0
