"""How many requests may be under way: as many as the service bears, found out by trying.

The rule is TCP's (Jacobson 1988): slow start doubles the limit every round trip, until the first sign of congestion
halves it; from there on it grows by one a round trip.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from workers.stopwatch import Stopwatch

START = 8
"""Requests that every service is believed to bear."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The permission for one request.

    Attributes:
        era: how often the limit had been cut when the request went out.
    """

    era: int


class Limit:
    """The number, without a clock: pure bookkeeping.

    Args:
        most: never above this, >= 1.

    Attributes:
        value: requests that may be under way now, in 1..most.
    """

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._exact = min(float(START), self._most)
        self._threshold = self._most  # slow start below it
        self._era = 0

    @property
    def value(self) -> int:
        return int(self._exact)

    def ticket(self) -> Ticket:
        return Ticket(self._era)

    def answered(self, in_flight: int) -> None:
        """A request has come back well; while less than half of the limit is made use of, that says nothing about a
        higher one.

        Args:
            in_flight: under way at that moment, this one included.
        """
        if 2 * in_flight >= self.value:
            step = 1.0 if self._exact < self._threshold else 1.0 / self._exact
            self._exact = min(self._exact + step, self._most)

    def congested(self, ticket: Ticket) -> None:
        """A request has met congestion. Those that went out before the last cut have nothing new to say."""
        if ticket.era == self._era:
            self._era += 1
            self._exact = self._threshold = max(1.0, self._exact / 2)


class Gate:
    """Lets requests pass in the order they came: as many at a time as the limit says, none during a pause.

    It belongs to the event loop it is made in.

    Attributes:
        limit: told by whoever passes how it went.
        passed: runs while any request has passed and is not over.
    """

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.passed = Stopwatch()
        self._loop = asyncio.get_running_loop()
        self._queue: deque[asyncio.Future[None]] = deque()
        self._opens = 0.0
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        """Requests that have passed and are not over."""
        return self.passed.under_way

    @property
    def waiting(self) -> int:
        return sum(not ticket.done() for ticket in self._queue)

    @property
    def paused(self) -> float:
        """Seconds until the pause is over."""
        return max(0.0, self._opens - self._loop.time())

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[Ticket]:
        """Wait for a place, and hold it."""
        await self._enter()
        try:
            yield self.limit.ticket()
        finally:
            self.passed.end()
            self._admit()

    def pause(self, seconds: float) -> None:
        """Let nobody pass for so long, counted from now; a longer pause stays as it is."""
        self._opens = max(self._opens, self._loop.time() + seconds)

    async def _enter(self) -> None:
        turn = self._loop.create_future()
        self._queue.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # cancelled in the moment it was let in
                self.passed.end()
                self._admit()
            else:
                turn.cancel()
            raise

    def _admit(self) -> None:
        if self.paused:
            self._wake_later()
            return
        while self._queue and (self._queue[0].done() or self.in_flight < self.limit.value):
            turn = self._queue.popleft()
            if not turn.done():
                self.passed.begin()
                turn.set_result(None)

    def _wake_later(self) -> None:
        if self._queue and (self._alarm is None or self._alarm.when() < self._opens):
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = self._loop.call_at(self._opens, self._wake)

    def _wake(self) -> None:
        self._alarm = None
        self._admit()
