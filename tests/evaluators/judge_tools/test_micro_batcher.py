"""What comes together is performed together, and every item gets its own answer or its own error."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from configs.errors import RunStopped
from evaluators.failures import JudgeFailed
from evaluators.judge_tools.micro_batcher import Gatherer
from workers.failures import GenerationFailed


class Shouting:
    """Answers in capitals, last item first; "bad" fails its batch, "stop" all of them, "mute" is left out."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.began, self.hold = asyncio.Event(), asyncio.Event()
        self.hold.set()

    async def __call__(self, items: Sequence[str]) -> AsyncIterator[tuple[int, str]]:
        self.batches.append(list(items))
        self.began.set()
        await self.hold.wait()
        for index in reversed(range(len(items))):
            if items[index].startswith("bad"):
                raise GenerationFailed(f"{items[index]} is bad")
            if items[index] == "stop":
                raise RunStopped("no more")
            if items[index] != "mute":
                yield index, items[index].upper()


async def _ask(gatherer: Gatherer[str, str], *items: str) -> list[str | BaseException]:
    return await asyncio.gather(*(gatherer.ask(item) for item in items), return_exceptions=True)


def test_items_that_come_together_are_one_batch_and_get_their_own_answers() -> None:
    async def scenario() -> None:
        perform = Shouting()
        gatherer = Gatherer(perform)
        assert await _ask(gatherer, "a", "b", "c") == ["A", "B", "C"]
        assert await _ask(gatherer, "d") == ["D"]
        assert perform.batches == [["a", "b", "c"], ["d"]]

    asyncio.run(scenario())


def test_a_full_batch_does_not_wait() -> None:
    async def scenario() -> None:
        perform = Shouting()
        gatherer = Gatherer(perform, linger=3600, most=2)
        assert await _ask(gatherer, *"abcd") == [*"ABCD"]
        assert perform.batches == [["a", "b"], ["c", "d"]]

    asyncio.run(scenario())


def test_only_items_of_one_kind_go_together() -> None:
    async def scenario() -> None:
        perform = Shouting()
        gatherer = Gatherer(perform, kind=str.islower)
        await _ask(gatherer, *"aBcD")
        assert sorted(perform.batches) == [["B", "D"], ["a", "c"]]

    asyncio.run(scenario())


def test_the_item_at_fault_fails_alone() -> None:
    async def scenario() -> None:
        perform = Shouting()
        items = ["a", "bad 1", "b", "c", "d", "bad 2", "e"]
        outcomes = await _ask(Gatherer(perform), *items)
        assert [str(one) for one in outcomes] == ["A", "bad 1 is bad", "B", "C", "D", "bad 2 is bad", "E"]
        answered = [item for batch in perform.batches for item in batch if item == "e"]
        assert answered == ["e"], "what was answered before the failure is not asked for again"

    asyncio.run(scenario())


def test_a_stop_of_the_run_reaches_everyone_in_the_batch_at_once() -> None:
    async def scenario() -> None:
        perform = Shouting()
        outcomes = await _ask(Gatherer(perform), "a", "stop", "b")
        assert [type(one) for one in outcomes] == [RunStopped, RunStopped, str]
        assert len(perform.batches) == 1

    asyncio.run(scenario())


def test_an_item_that_gets_no_answer_fails_and_does_not_wait_for_ever() -> None:
    async def scenario() -> None:
        first, mute = await _ask(Gatherer(Shouting()), "a", "mute")
        assert first == "A"
        assert isinstance(mute, JudgeFailed)

    asyncio.run(scenario())


@pytest.mark.parametrize("paid", [False, True])
def test_closing_refuses_what_waits_and_waits_for_what_is_paid(paid: bool) -> None:
    async def scenario() -> None:
        perform = Shouting()
        perform.hold.clear()
        gatherer = Gatherer(perform, most=1, linger=3600, paid=paid)
        under_way = asyncio.create_task(_ask(gatherer, "a"))
        await perform.began.wait()
        closing = asyncio.create_task(gatherer.close())
        await asyncio.sleep(0)
        perform.hold.set()
        await closing
        (outcome,) = await under_way
        assert isinstance(outcome, str if paid else JudgeFailed)
        (late,) = await _ask(gatherer, "b")
        assert isinstance(late, JudgeFailed)

    asyncio.run(scenario())


def test_closing_ends_a_batch_that_has_not_gone_out() -> None:
    async def scenario() -> None:
        gatherer = Gatherer(Shouting(), linger=3600)
        waiting = asyncio.create_task(_ask(gatherer, "a"))
        await asyncio.sleep(0)
        await gatherer.close()
        assert isinstance((await waiting)[0], JudgeFailed)

    asyncio.run(scenario())


def test_whoever_stops_waiting_costs_the_others_nothing() -> None:
    async def scenario() -> None:
        gatherer = Gatherer(Shouting())
        gone = asyncio.create_task(gatherer.ask("a"))
        stays = asyncio.create_task(gatherer.ask("b"))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == "B"

    asyncio.run(scenario())
