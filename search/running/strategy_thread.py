"""A strategy in a thread of its own, so that its arithmetic holds up no answer, verdict or ledger.

Its methods are called one at a time and in the order given, so it decides as it would in the event loop. What it says
of itself is read after each call, and is at hand without another one.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.strategies.strategy import Extensible, Strategy, agreement_of, stage_of
from workers.daemon_thread import DaemonThread

T = TypeVar("T")


class StrategyThread:
    """A thread that asks and tells a strategy.

    Attributes:
        ranking: every candidate that it would recommend after the latest call, best first.
        planned: how many answers it will ask for in all, as it said after the latest call.
        stage: what it is doing, in a few words; "" for one that does not say.
    """

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self._thread = DaemonThread()
        self.ranking: tuple[Candidate, ...] = ()
        self.planned, self.stage = strategy.planned(), stage_of(strategy)

    @property
    def agreement(self) -> float | None:
        """How far a screening judge agrees with the judge, as the strategy has learnt it by the latest call."""
        return agreement_of(self._strategy)

    async def ask(self, room: int) -> Sequence[Trial]:
        """See `Strategy.ask`."""
        return await self._call(lambda: self._strategy.ask(room))

    async def tell(self, scored: ScoredTrial) -> None:
        """See `Strategy.tell`."""
        await self._call(lambda: self._strategy.tell(scored))

    async def extend(self, budget: int) -> None:
        """See `Extensible.extend`; the strategy must be one."""
        strategy = self._strategy
        assert isinstance(strategy, Extensible)
        await self._call(lambda: strategy.extend(budget))

    async def _call(self, method: Callable[[], T]) -> T:
        def call_and_look() -> tuple[T, tuple[Candidate, ...], int, str]:
            returned, strategy = method(), self._strategy
            return returned, tuple(strategy.ranking()), strategy.planned(), stage_of(strategy)

        returned, self.ranking, self.planned, self.stage = await self.compute(call_and_look)
        return returned

    async def compute(self, work: Callable[[], T]) -> T:
        """Do other work that takes long in the same thread, after the calls so far."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """The thread ends after the calls so far. Idempotent."""
        self._thread.end()
