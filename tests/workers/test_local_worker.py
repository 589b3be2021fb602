import asyncio
import subprocess
import sys
import threading
import time
from contextlib import aclosing
from functools import partial

import pytest

from configs.errors import InputError
from tests.fakes import EchoEngine, EchoRewardEngine, GatedEngine, ScriptedModel, StepEngine
from tests.kits.text_model_kit import (
    BLOCK,
    GIVEN,
    GREEDY,
    RewardModelKit,
    TextModelKit,
    answers,
    expected,
    likelihoods,
    rewards,
    run_with,
)
from workers.activity import WorkersActivity
from workers.failures import GenerationFailed, PromptTooLong, WorkersUnavailable
from workers.local_worker import LocalWorker
from workers.prompt import Continuations, Decoding, PromptBlock
from workers.text_model import Engine, RewardModel, TextModel

WAITING = PromptBlock("Let me WAIT. ", ("a", "b"))  # StepEngine never answers
ANOTHER = Decoding(max_new_tokens=15)


async def until_block_runs(model: TextModel) -> None:
    while not model.activity().answering:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.001)


class TestLocalWorker(TextModelKit):
    def make(self) -> TextModel:
        return LocalWorker(EchoEngine)


class TestLocalWorkerThatAnswersBlocksTogether(TextModelKit):
    def make(self) -> TextModel:
        return LocalWorker(StepEngine)


class TestLocalRewardWorker(RewardModelKit):
    def make(self) -> RewardModel:
        return LocalWorker(EchoRewardEngine)


class TestScriptedModel(TextModelKit):
    def make(self) -> TextModel:
        return ScriptedModel()


def refuse() -> Engine:
    raise InputError("there is no model at /nowhere: give model.name a folder that exists")


def test_a_load_failure_is_raised_by_start_as_it_is() -> None:
    with pytest.raises(InputError, match="no model at /nowhere"):
        asyncio.run(LocalWorker(refuse).start())


def test_a_task_that_the_engine_has_no_method_for_is_a_failure_that_says_so() -> None:
    sentence = "the model loaded here cannot {}: name a {} model for this task"
    with pytest.raises(GenerationFailed, match=sentence.format("rate", "reward")):
        run_with(LocalWorker(EchoEngine), lambda model: rewards(model, BLOCK))
    with pytest.raises(GenerationFailed, match=sentence.format("generate", "language")):
        run_with(LocalWorker(EchoRewardEngine), lambda model: answers(model, BLOCK))
    with pytest.raises(GenerationFailed, match=sentence.format("score", "language")):
        run_with(LocalWorker(EchoRewardEngine), lambda model: likelihoods(model, BLOCK, GIVEN))


def test_an_unexpected_exception_of_the_engine_is_not_disguised() -> None:
    with pytest.raises(RuntimeError, match="CUDA error"):
        run_with(LocalWorker(EchoEngine), lambda model: answers(model, PromptBlock("It BREAKS. ", ("?",))))


def test_closing_the_iterator_stops_the_engine_between_two_completions() -> None:
    """The rest would take half an hour, far longer than the test may."""
    endless = PromptBlock("", tuple("abcdefghij" * 4000))

    async def work(model: TextModel) -> None:
        async with aclosing(model.generate(endless, GREEDY)) as some:  # type: ignore[type-var]
            await anext(some)
        await answers(model, PromptBlock("", ("next",)))

    run_with(LocalWorker(partial(EchoEngine, seconds_each=0.05)), work)


def test_an_engine_that_goes_step_by_step_stops_in_the_middle_of_a_completion() -> None:
    async def work(model: TextModel) -> None:
        giving_up = asyncio.create_task(answers(model, WAITING))
        await until_block_runs(model)
        giving_up.cancel()
        await answers(model, PromptBlock("", ("next",)), ANOTHER)

    run_with(LocalWorker(StepEngine), work)


def test_a_block_that_waits_joins_the_one_that_runs() -> None:
    async def work(model: TextModel) -> WorkersActivity:
        running = asyncio.create_task(answers(model, WAITING))
        await until_block_runs(model)
        assert dict(await answers(model, BLOCK)) == expected(BLOCK)
        joining = asyncio.create_task(answers(model, WAITING))
        while not (now := model.activity()).workers[0].more_blocks:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)
        running.cancel()
        joining.cancel()
        return now

    now = run_with(LocalWorker(StepEngine), work)
    assert (now.busy, now.queued, now.answering) == (1, 0, 4)
    assert (now.workers[0].block, now.workers[0].asked) == (1, 4)


@pytest.mark.parametrize(
    ("rows", "task"),
    [(2, GREEDY), (16, ANOTHER), (16, GIVEN)],
    ids=["no room", "decoded otherwise", "not decoded"],
)
def test_a_block_that_cannot_join_waits_until_its_turn_and_so_does_what_comes_after_it(
    rows: int, task: Decoding | Continuations
) -> None:
    async def work(model: TextModel) -> None:
        running = asyncio.create_task(answers(model, WAITING))
        await until_block_runs(model)
        async with asyncio.TaskGroup() as behind:
            if isinstance(task, Decoding):
                behind.create_task(answers(model, BLOCK, task))
            else:
                behind.create_task(likelihoods(model, BLOCK, task))
            behind.create_task(answers(model, BLOCK))
            while model.activity().queued != 2:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.001)
            for _ in range(2):  # each after a step, so that either block could have joined in between
                await model.count_tokens(BLOCK)
            assert (model.activity().queued, model.activity().workers[0].more_blocks) == (2, 0)
            running.cancel()
        assert model.activity().queued == 0

    run_with(LocalWorker(partial(StepEngine, rows=rows)), work)


@pytest.mark.parametrize(
    ("block", "error"),
    [
        (PromptBlock("word " * 5000, ("?",)), PromptTooLong),
        (PromptBlock("This FAILS. ", ("?",)), GenerationFailed),
    ],
    ids=["when it joins", "while it runs"],
)
def test_a_failure_of_one_block_leaves_the_others_alone(block: PromptBlock, error: type[Exception]) -> None:
    async def work(model: TextModel) -> None:
        running = asyncio.create_task(answers(model, BLOCK))
        with pytest.raises(error):
            await answers(model, block)
        assert dict(await running) == expected(BLOCK)

    run_with(LocalWorker(partial(StepEngine, seconds_each=0.01)), work)


def test_what_breaks_the_engine_ends_all_blocks_that_run_and_those_behind_go_on() -> None:
    async def work(model: TextModel) -> None:
        running = asyncio.create_task(answers(model, WAITING))
        await until_block_runs(model)
        with pytest.raises(RuntimeError, match="CUDA error"):
            await answers(model, PromptBlock("It BREAKS. ", ("?",)))
        with pytest.raises(RuntimeError, match="CUDA error"):
            await running
        assert dict(await answers(model, BLOCK)) == expected(BLOCK)

    run_with(LocalWorker(StepEngine), work)


def test_giving_up_one_block_ends_it_alone() -> None:
    async def work(model: TextModel) -> None:
        given_up = asyncio.create_task(answers(model, WAITING))
        running = asyncio.create_task(answers(model, BLOCK))
        await asyncio.sleep(0.02)
        given_up.cancel()
        assert dict(await running) == expected(BLOCK)
        while model.activity().answering:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)

    run_with(LocalWorker(partial(StepEngine, seconds_each=0.01)), work)


def test_tokens_are_counted_between_two_steps() -> None:
    async def work(model: TextModel) -> tuple[int, ...]:
        running = asyncio.create_task(answers(model, WAITING))
        await until_block_runs(model)
        lengths = await model.count_tokens(BLOCK)
        running.cancel()
        return lengths

    assert len(run_with(LocalWorker(StepEngine), work)) == len(BLOCK.suffixes)


def test_tokens_are_counted_between_two_completions_of_a_running_block() -> None:
    slow = LocalWorker(partial(EchoEngine, seconds_each=0.05))

    async def work(model: TextModel) -> int:
        asking = asyncio.create_task(answers(model, PromptBlock("", tuple("abcdefghij" * 4))))
        await asyncio.sleep(0.1)
        await model.count_tokens(BLOCK)
        return slow.activity().tokens if not asking.done() else -1

    assert 0 <= run_with(slow, work) < 40


def test_closing_the_model_ends_what_is_under_way_as_unavailable() -> None:
    slow = LocalWorker(partial(EchoEngine, seconds_each=0.05))

    async def work(model: TextModel) -> None:
        asking = asyncio.create_task(answers(model, PromptBlock("", tuple("abcdefghij" * 4))))
        await asyncio.sleep(0.1)
        await model.close()
        with pytest.raises(WorkersUnavailable, match="closed"):
            await asking
        with pytest.raises(WorkersUnavailable, match="closed"):
            await answers(model, BLOCK)

    run_with(slow, work)


def test_activity_tells_what_runs_and_what_waits() -> None:
    gate = threading.Event()
    worker = LocalWorker(partial(GatedEngine, gate=gate))

    async def work(model: TextModel) -> tuple[WorkersActivity, WorkersActivity]:
        asking = [asyncio.create_task(answers(model, BLOCK)) for _ in range(3)]
        while worker.activity().queued != 2:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)
        during = worker.activity()
        gate.set()
        await asyncio.gather(*asking)
        return during, worker.activity()

    assert worker.activity() == WorkersActivity()
    during, after = run_with(worker, work)
    assert (during.alive, during.busy, during.queued) == (1, 1, 2)
    (worker_then,) = during.workers
    assert (worker_then.block, worker_then.asked, worker_then.place) == (1, 7, "cpu")
    assert worker_then.seconds > 0
    assert (during.waiting, during.answering, worker_then.answered) == (14, 7, 0)
    assert after.workers[0].block is None
    assert (after.alive, after.busy, after.queued, after.tokens) == (1, 0, 0, 3 * 7 * 5)


def test_the_idle_share_is_of_the_time_since_the_model_was_loaded() -> None:
    worker = LocalWorker(partial(EchoEngine, seconds_each=0.01))

    async def work(model: TextModel) -> list[WorkersActivity]:
        before = worker.activity()
        await answers(model, BLOCK)
        during = worker.activity()
        await asyncio.sleep(0.05)
        return [before, during, worker.activity()]

    assert worker.activity().idle_share is None
    before, during, after = run_with(worker, work)
    assert before.seconds_busy == 0
    assert 0.07 <= during.seconds_busy == after.seconds_busy
    assert after.seconds_alive >= during.seconds_alive + 0.05
    assert after.idle_share is not None
    assert 0 < after.idle_share < 1
    closed = worker.activity().seconds_alive
    time.sleep(0.05)
    assert worker.activity().seconds_alive == closed  # a closed worker is not idle


def test_scoring_counts_no_tokens_as_generated() -> None:
    async def work(model: TextModel) -> int:
        await likelihoods(model, BLOCK, GIVEN)
        return model.activity().tokens

    assert run_with(LocalWorker(EchoEngine), work) == 0


def test_an_engine_at_work_does_not_keep_the_interpreter_from_exiting() -> None:
    script = """
import asyncio
from functools import partial
from tests.fakes import EchoEngine
from workers.local_worker import LocalWorker
from workers.prompt import Decoding, PromptBlock

async def main():
    async for _ in LocalWorker(partial(EchoEngine, seconds_each=1)).generate(PromptBlock("", ("a",) * 99), Decoding(9)):
        raise KeyboardInterrupt
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert "KeyboardInterrupt" in ended.stderr  # the engine would go on for 99 s
