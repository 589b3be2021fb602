import asyncio

import pytest

from configs.errors import AlreadyClosed, RunStopped
from evaluators.task_group import task_group, to_its_end
from workers.failures import ModelClosed


async def _fail(error: BaseException, turns: int = 0) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    raise error


@pytest.mark.parametrize("consequence", [ModelClosed(), AlreadyClosed("the search is being stopped"), TypeError("x")])
def test_the_error_that_explains_the_others_comes_out_however_late_it_is_noticed(consequence: Exception) -> None:
    reason = RunStopped("the key was refused")

    async def slow_to_say_so() -> None:
        async with task_group() as inner:
            inner.create_task(_fail(reason))
            inner.create_task(_cleaned_up_late())

    async def _cleaned_up_late() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.02)

    async def scenario() -> None:
        async with task_group() as tasks:
            tasks.create_task(slow_to_say_so())
            tasks.create_task(_fail(consequence, turns=3))

    with pytest.raises(RunStopped) as caught:
        asyncio.run(scenario())
    assert caught.value is reason


def test_of_errors_that_explain_alike_the_first_comes_out() -> None:
    async def scenario() -> None:
        async with task_group() as tasks:
            tasks.create_task(_fail(RunStopped("first")))
            tasks.create_task(_fail(RunStopped("second")))

    with pytest.raises(RunStopped, match="first"):
        asyncio.run(scenario())


def test_a_consequence_alone_comes_out_itself() -> None:
    async def scenario() -> None:
        async with task_group() as tasks:
            tasks.create_task(_fail(ModelClosed()))

    with pytest.raises(ModelClosed):
        asyncio.run(scenario())


@pytest.mark.parametrize(("cancelled", "ends"), [(1, True), (2, False)])
def test_work_comes_to_its_end_although_it_is_cancelled_once_and_not_when_twice(cancelled: int, ends: bool) -> None:
    async def scene() -> bool:
        begun, may_end, has_ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def work() -> None:
            begun.set()
            await may_end.wait()
            has_ended.set()

        caller = asyncio.create_task(to_its_end(work))
        await begun.wait()
        for _ in range(cancelled):
            caller.cancel()
            await asyncio.sleep(0)
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
        return has_ended.is_set()

    assert asyncio.run(scene()) == ends
