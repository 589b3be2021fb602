"""What a service is doing, for people who watch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceActivity:
    """A snapshot.

    Attributes:
        in_flight: requests under way.
        limit: most that may be under way now.
        waiting: calls without a place, those in a pause not counted.
        answered: calls answered since the beginning.
        retries: attempts that were made again.
        slow_downs: times the service asked for less (429, 503).
        paused: seconds until the pause is over that the service asked for; 0 when there is none.
        batched: chats that wait for a batch, where they come in batches.
        seconds_busy: in which a request was under way, or a chat in a batch.
    """

    in_flight: int = 0
    limit: int = 0
    waiting: int = 0
    answered: int = 0
    retries: int = 0
    slow_downs: int = 0
    paused: float = 0.0
    batched: int = 0
    seconds_busy: float = 0.0
