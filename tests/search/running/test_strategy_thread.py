"""A strategy beside the event loop."""

import asyncio
import threading
from collections.abc import Sequence

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.running.strategy_thread import StrategyThread

BASE = Candidate(("base",))
SCORED = ScoredTrial(Trial(BASE, ("q",)), {"q": 1.0}, {}, 1.0)


class WaitingStrategy:
    """Decides only once it is allowed to, and notes who calls it."""

    def __init__(self) -> None:
        self.allowed = threading.Event()
        self.calls: list[str] = []
        self.threads: set[int] = set()

    def ask(self, room: int) -> Sequence[Trial]:
        self.allowed.wait()
        self.calls.append("ask")
        self.threads.add(threading.get_ident())
        return [Trial(BASE, ("q",))] * room

    def tell(self, scored: ScoredTrial) -> None:
        self.allowed.wait()
        self.calls.append("tell")
        self.threads.add(threading.get_ident())

    def planned(self) -> int:
        return len(self.calls)

    def ranking(self) -> Sequence[Candidate]:
        return [BASE] if "tell" in self.calls else []


def test_the_event_loop_goes_on_while_the_strategy_decides() -> None:
    async def check() -> None:
        strategy = WaitingStrategy()
        thread = StrategyThread(strategy)
        decision = asyncio.create_task(thread.ask(2))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not decision.done()
        strategy.allowed.set()
        assert len(await decision) == 2
        thread.close()

    asyncio.run(check())


def test_calls_are_made_one_at_a_time_in_the_order_given_and_in_one_thread() -> None:
    async def check() -> WaitingStrategy:
        strategy = WaitingStrategy()
        thread = StrategyThread(strategy)
        calls = [asyncio.create_task(thread.tell(SCORED)), asyncio.create_task(thread.ask(1))]
        await asyncio.sleep(0)
        strategy.allowed.set()
        await asyncio.gather(*calls)
        thread.close()
        return strategy

    strategy = asyncio.run(check())
    assert strategy.calls == ["tell", "ask"]
    assert len(strategy.threads) == 1
    assert strategy.threads != {threading.get_ident()}


def test_ranking_and_plan_are_those_after_the_latest_call_and_cost_no_further_one() -> None:
    async def check() -> None:
        strategy = WaitingStrategy()
        strategy.allowed.set()
        thread = StrategyThread(strategy)
        assert (thread.ranking, thread.planned) == ((), 0)
        await thread.tell(SCORED)
        assert (thread.ranking, thread.planned) == ((BASE,), 1)
        thread.close()

    asyncio.run(check())
