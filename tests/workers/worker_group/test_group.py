"""the worker group with processes that are none, which a test can lose at will."""

import asyncio
import logging
import random
import re
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import TypeVar

import pytest

from configs.errors import InputError
from configs.schema.workers import WorkersConfig
from tests.fakes import EchoEngine, GatedEngine, StepEngine
from tests.kits.text_model_kit import BLOCK, GREEDY, expected, expected_likelihoods
from tests.workers.worker_group.fake_process import FakeProcess
from workers.activity import WorkersActivity
from workers.failures import GenerationFailed, PromptTooLong, WorkersUnavailable
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock
from workers.text_model import Engine, LoadEngine, RewardEngine
from workers.worker_group.group import WorkerGroup

T = TypeVar("T")
LONG = PromptBlock("Count. ", tuple(f"number {number}" for number in range(40)))


async def answers(group: WorkerGroup, block: PromptBlock) -> list[tuple[int, Completion]]:
    """Everything the worker group makes of a block, in the order it comes."""
    return [answer async for answer in group.perform(block, GREEDY)]


def impatient(load: LoadEngine, config: WorkersConfig) -> WorkerGroup:
    return WorkerGroup(load, config, pause=0.01, min_gain=0.05)


async def until(it_is_so: Callable[[], bool]) -> None:
    while not it_is_so():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.001)


def with_crew(
    work: Callable[[WorkerGroup, Sequence[FakeProcess]], Awaitable[T]],
    load: LoadEngine = EchoEngine,
    workers: int = 2,
    **knobs: object,
) -> T:
    async def everything() -> T:
        config = WorkersConfig.model_validate({"block_size": 10, **knobs})
        group, processes = impatient(load, config), [FakeProcess() for _ in range(workers)]
        try:
            await group.load(processes)
            await until(lambda: group.activity().alive == workers)  # it begins with the first of them
            return await work(group, processes)
        finally:
            await group.close()

    return asyncio.run(asyncio.wait_for(everything(), 30))


def test_what_a_lost_worker_had_answered_is_kept_and_only_the_rest_is_asked_again() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> list[int]:
        order = []
        async for index, completion in group.perform(LONG, GREEDY):
            order.append(index)
            assert completion == expected(LONG)[index]
            if len(order) == 15:
                asked = sum(len(process.prompts) for process in processes)
                processes[0].die()
        again = sum(len(process.prompts) for process in processes) - 40
        assert asked == 40
        assert 0 < again < 20  # two pieces of ten were there, some of which had arrived
        assert group.activity().restarts == 1
        return order

    order = with_crew(work, partial(EchoEngine, seconds_each=0.01))
    assert sorted(order) == list(range(40))


def test_small_blocks_are_answered_together_by_a_worker_that_can_and_evenly_by_all() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> tuple[WorkersActivity, WorkersActivity]:
        waiting = [asyncio.create_task(answers(group, PromptBlock(f"WAIT {one}. ", ("a", "b")))) for one in range(6)]
        await until(lambda: group.activity().answering == 12)
        during = group.activity()
        await asyncio.wait_for(answers(group, BLOCK), 10)
        for task in waiting:
            task.cancel()
        await until(lambda: not group.activity().busy)
        return during, group.activity()

    during, after = with_crew(work, StepEngine)
    assert [(one.more_blocks, one.asked, one.answered) for one in during.workers] == [(2, 6, 0)] * 2
    assert (during.queued, after.queued, after.answering) == (0, 0, 0)


class Tardy(EchoEngine):
    """Takes long to say that it has said everything."""

    def generate(self, block: PromptBlock, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        yield from super().generate(block, decoding)
        time.sleep(0.3)


def test_a_worker_lost_after_its_last_completion_costs_nothing() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        got = []
        async for answer in group.perform(BLOCK, GREEDY):
            got.append(answer)
            if len(got) == len(BLOCK.suffixes):
                processes[0].die()
        assert dict(got) == expected(BLOCK)
        assert len(processes[0].prompts) == len(BLOCK.suffixes)

    with_crew(work, Tardy, workers=1, max_attempts=1)


class Unreadable(EchoEngine):
    def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        raise ValueError("no tokenizer")


def test_tokens_that_cannot_be_counted_are_a_failure_and_no_endless_loop() -> None:
    with pytest.raises(GenerationFailed, match="tokens cannot be counted: no tokenizer"):
        with_crew(lambda group, processes: group.count_tokens(BLOCK), Unreadable)


def test_a_worker_that_is_killed_again_and_again_loses_no_completion() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        async def killer() -> None:
            for number in range(8):
                await asyncio.sleep(0.08)
                processes[number % 2].die()

        killing = asyncio.create_task(killer())
        blocks = [PromptBlock(f"Rule {number}. ", LONG.suffixes) for number in range(6)]
        got = await asyncio.gather(*(answers(group, block) for block in blocks))
        await killing
        assert [sorted(index for index, _ in some) for some in got] == [list(range(40))] * 6
        assert [dict(some) for some in got] == [expected(block) for block in blocks]

    with_crew(work, partial(EchoEngine, seconds_each=0.003), max_attempts=10)


def test_a_broken_engine_is_killed_and_its_block_fails_alone_after_its_attempts() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        bad = PromptBlock("", (*(f"fine {number}" for number in range(5)), "BREAKS", "fine"))
        good = [PromptBlock(f"Rule {number}. ", LONG.suffixes) for number in range(3)]
        *healthy, poisoned = await asyncio.gather(
            *(answers(group, block) for block in (*good, bad)),
            return_exceptions=True,
        )
        assert [dict(some) for some in healthy] == [expected(block) for block in good]  # type: ignore[arg-type]
        assert isinstance(poisoned, GenerationFailed)
        assert "2 workers were lost" in str(poisoned)
        assert "RuntimeError: CUDA error: device-side assert triggered" in str(poisoned)
        assert re.search("its [1-6] unanswered", str(poisoned))  # 1 where a copy has answered those on the other side
        assert sum(process.lives for process in processes) == 2 + 2

    with_crew(work, max_attempts=2)


async def read(group: WorkerGroup, block: PromptBlock) -> tuple[set[int], GenerationFailed]:
    """Which suffixes of a block that fails are answered, and the failure."""
    got = set()
    try:
        async for index, _ in group.perform(block, GREEDY):
            got.add(index)
    except GenerationFailed as failure:
        return got, failure
    pytest.fail("no failure was raised")


def test_the_healthy_pieces_of_a_block_are_answered_before_its_failure_is_raised() -> None:
    block = PromptBlock("", ("FAILS", *LONG.suffixes))
    got, failure = with_crew(lambda group, _: read(group, block))
    assert got == set(range(1, 41))
    assert "contains FAILS" in str(failure)


@pytest.mark.parametrize("failing", [{}, {12: "FAILS"}, {12: "word " * 5001, 39: "FAILS"}])
def test_a_prompt_that_is_too_long_takes_only_its_own_piece_along_and_is_the_failure(failing: dict[int, str]) -> None:
    marked = {0: "word " * 5000, **failing}
    block = PromptBlock("", tuple(marked.get(index, suffix) for index, suffix in enumerate(LONG.suffixes)))
    got, failure = with_crew(lambda group, _: read(group, block), partial(EchoEngine, seconds_each=0.002))
    assert isinstance(failure, PromptTooLong)
    assert failure.prompt_tokens == max(len(text.split()) for text in marked.values())
    assert got >= {index for index in range(40) if not any(index // 10 == other // 10 for other in marked)}
    assert got.isdisjoint(marked)
    assert got.isdisjoint(range(10))


def test_closing_an_iterator_drops_queued_pieces_and_stops_running_ones() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        async with aclosing(group.perform(PromptBlock("", LONG.suffixes * 500), GREEDY)) as some:
            await anext(some)
        assert group.activity().queued <= 2 * 6  # what was sent ahead; it is being called back
        await answers(group, PromptBlock("", ("next",)))  # and not after the 19,999 given up, in a quarter of an hour
        assert sum(len(process.prompts) for process in processes) < 200

    with_crew(work, partial(EchoEngine, seconds_each=0.05))


def test_a_worker_that_comes_back_steals_what_waits_behind_another() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        processes[1].returns = False
        processes[1].die()
        asking = asyncio.create_task(answers(group, LONG))
        await until(lambda: len(processes[0].prompts) == 40)
        processes[1].returns = True
        await until(lambda: len(processes[1].prompts) == 20)
        gate.set()
        assert dict(await asking) == expected(LONG)
        assert (len(processes[0].prompts), len(processes[1].prompts)) == (40, 20)

    gate = threading.Event()
    with_crew(work, partial(GatedEngine, gate=gate), block_size=20)


def test_when_nobody_comes_back_the_run_is_stopped() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        asking = asyncio.create_task(answers(group, LONG))
        await asyncio.sleep(0.05)
        for process in processes:
            process.returns = False
            process.die()
        with pytest.raises(WorkersUnavailable, match=r"no worker came back within 0\.3 s"):
            await asking
        with pytest.raises(WorkersUnavailable):
            await answers(group, BLOCK)

    with_crew(work, partial(EchoEngine, seconds_each=0.02), start_timeout=0.3)


def test_the_others_go_on_while_one_never_comes_back() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        processes[0].returns = False
        processes[0].die()
        assert dict(await answers(group, LONG)) == expected(LONG)
        assert group.activity().alive == 1

    with_crew(work, start_timeout=0.2)


def test_idle_deaths_cost_no_attempt() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        for _ in range(3):
            for process in processes:
                process.die()
            assert dict(await answers(group, BLOCK)) == expected(BLOCK)

    with_crew(work, max_attempts=1)


# ---------------------------------------------------------------------------------------------------------- loading


def sleepy(seconds: float) -> Callable[[], Engine]:
    def load() -> Engine:
        time.sleep(seconds)
        return EchoEngine()

    return load


def refuse() -> Engine:
    raise InputError("there is no model at /nowhere: give model.name a folder that exists")


def in_turn(*loads: LoadEngine) -> LoadEngine:
    """The first worker to load gets the first, and so on; the last serves all further ones."""
    rest = list(loads)

    def load() -> Engine | RewardEngine:
        next_one = rest.pop(0) if len(rest) > 1 else rest[0]
        return next_one()

    return load


def load_only(load: LoadEngine, homeless: int = 0, workers: int = 2, **knobs: object) -> None:
    async def everything() -> None:
        group = impatient(load, WorkersConfig.model_validate(knobs))
        processes = [FakeProcess() for _ in range(workers)]
        for process in processes[:homeless]:
            process.returns = False
        try:
            await group.load(processes)
        finally:
            await group.close()

    asyncio.run(asyncio.wait_for(everything(), 30))


def test_a_load_that_takes_too_long_is_refused_with_the_knob_to_turn() -> None:
    with pytest.raises(InputError, match=r"not loaded within 0\.1 s \(workers\.start_timeout\)"):
        load_only(sleepy(1), start_timeout=0.1)


def test_workers_without_a_place_are_counted_with_what_they_need() -> None:
    with pytest.raises(InputError, match=r"none of 2 workers found a place with 1 CPU core within 0\.2 s"):
        load_only(EchoEngine, homeless=2, start_timeout=0.2)


def test_a_model_that_no_worker_can_load_is_refused_with_the_engines_own_sentence() -> None:
    with pytest.raises(InputError, match=r"^there is no model at /nowhere"):
        load_only(refuse, workers=3)


def test_a_refusal_is_not_hidden_by_workers_that_find_no_place() -> None:
    with pytest.raises(InputError, match=r"^there is no model at /nowhere"):
        load_only(refuse, homeless=1, start_timeout=0.2)


def test_the_crew_begins_with_the_first_worker_and_the_others_join_as_they_load() -> None:
    async def work() -> None:
        group, processes = impatient(EchoEngine, WorkersConfig(block_size=10)), [FakeProcess(), FakeProcess()]
        processes[1].returns = False
        await group.load(processes)
        assert dict(await answers(group, LONG)) == expected(LONG)
        assert group.activity().alive == 1
        processes[1].returns = True
        await until(lambda: group.activity().alive == 2)
        assert dict(await answers(group, LONG)) == expected(LONG)
        assert len(processes[1].prompts) > 0
        await group.close()

    asyncio.run(asyncio.wait_for(work(), 30))


def test_a_worker_hired_while_a_block_runs_takes_part_of_it() -> None:
    async def work(group: WorkerGroup, _: Sequence[FakeProcess]) -> None:
        asking = asyncio.create_task(answers(group, LONG))
        await until(lambda: group.activity().busy == 1)
        late = FakeProcess()
        group.start_worker(late)
        await until(lambda: len(late.prompts) > 0)
        gate.set()
        assert dict(await asking) == expected(LONG)
        assert group.activity().alive == 2
        assert len(late.prompts) < 40

    gate = threading.Event()
    with_crew(work, partial(GatedEngine, gate=gate), workers=1)


def test_a_worker_that_cannot_load_the_model_leaves_the_run_to_the_others(caplog: pytest.LogCaptureFixture) -> None:
    async def work(group: WorkerGroup, _: Sequence[FakeProcess]) -> None:
        group.start_worker(FakeProcess())
        await until(lambda: "given up" in caplog.text)
        assert dict(await answers(group, LONG)) == expected(LONG)

    with_crew(work, in_turn(EchoEngine, refuse), workers=1)
    assert "worker 2 of 2 is given up: there is no model at /nowhere" in caplog.text


def test_a_worker_whose_model_differs_is_kept_out(caplog: pytest.LogCaptureFixture) -> None:
    async def work(group: WorkerGroup, _: Sequence[FakeProcess]) -> int:
        group.start_worker(FakeProcess())
        await until(lambda: "given up" in caplog.text)
        return group.activity().alive

    assert with_crew(work, in_turn(EchoEngine, partial(EchoEngine, fingerprint="echo 2")), workers=1) == 1
    assert "different models, 'echo 1' and 'echo 2'" in caplog.text


# ----------------------------------------------------------------------------------------------------------- copies

SHORT = PromptBlock("Count. ", tuple(f"number {number}" for number in range(10)))
SLOW, FAST = partial(EchoEngine, seconds_each=0.2), partial(EchoEngine, seconds_each=0.05)


def with_slow_and_fast(work: Callable[[WorkerGroup, Sequence[FakeProcess]], Awaitable[None]], **knobs: object) -> None:
    """The first of two workers is the slow one, and both have worked already."""

    async def everything(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        both = [*processes, FakeProcess()]
        group.start_worker(both[1])
        await until(lambda: group.activity().alive == 2)
        await asyncio.gather(*(answers(group, PromptBlock(letter, ("?",))) for letter in "abcdefghijkl"))
        await until(lambda: not group.activity().busy)
        await work(group, both)

    with_crew(everything, in_turn(SLOW, FAST), workers=1, **knobs)


def test_a_fast_worker_helps_a_slow_one_with_the_last_piece_and_no_suffix_is_answered_twice() -> None:
    async def work(group: WorkerGroup, _: Sequence[FakeProcess]) -> None:
        before = group.activity()
        got = await answers(group, SHORT)
        assert len(got) == 10
        assert dict(got) == expected(SHORT)
        assert group.activity().copied == before.copied + 1
        assert group.activity().tokens - before.tokens == sum(completion.new_tokens for _, completion in got)
        await until(lambda: not group.activity().busy)  # the other copy is given up

    with_slow_and_fast(work)


@pytest.mark.parametrize("victim", [0, 1])
def test_losing_either_copy_of_a_piece_hurts_neither_the_other_nor_the_piece(victim: int) -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        before, asked = group.activity(), sum(len(process.prompts) for process in processes)
        got = []
        async for answer in group.perform(SHORT, GREEDY):
            got.append(answer)
            if len(got) == 4:
                processes[victim].returns = False
                processes[victim].die()
        assert len(got) == 10
        assert dict(got) == expected(SHORT)
        assert (group.activity().restarts, group.activity().copied) == (1, before.copied + 1)
        assert sum(len(process.prompts) for process in processes) == asked + 20  # nothing was sent a third time

    with_slow_and_fast(work)


def test_a_copy_makes_room_for_work_that_comes() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        before = group.activity()
        asking = asyncio.create_task(answers(group, LONG))
        await until(lambda: group.activity().copied == before.copied + 1)
        next_ones = PromptBlock("Next. ", ("a", "b"))
        assert dict(await answers(group, next_ones)) == expected(next_ones)
        assert not asking.done()
        assert dict(await asking) == expected(LONG)

    with_slow_and_fast(work, block_size=40)


class Moody(EchoEngine):
    """Needs longer for some blocks than for others."""

    def generate(self, block: PromptBlock, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        time.sleep(0.6 if block.prefix == "Hard. " else 0.02)
        yield from super().generate(block, decoding)


def test_what_is_late_is_copied_although_nothing_else_happens_then() -> None:
    async def work(group: WorkerGroup, _: Sequence[FakeProcess]) -> None:
        await answers(group, SHORT)
        assert group.activity().copied == 0
        asking = asyncio.create_task(answers(group, PromptBlock("Hard. ", ("?",))))
        await until(lambda: group.activity().copied == 1)
        assert not asking.done()
        await asking

    with_crew(work, Moody, block_size=1)


def test_generation_and_scoring_under_fire_lose_and_repeat_nothing() -> None:
    given = Continuations(tuple(f"item {number}" for number in range(40)))

    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        async def killer() -> None:
            while True:
                await asyncio.sleep(0.03)
                chance.choice(processes).die()

        async def scores(block: PromptBlock) -> list[tuple[int, Likelihood]]:
            return [answer async for answer in group.perform(block, given)]

        chance = random.Random(7)
        killing = asyncio.create_task(killer())
        blocks = [PromptBlock(f"Rule {number}. ", LONG.suffixes) for number in range(4)]
        scoring = [asyncio.create_task(scores(block)) for block in blocks]
        completed = await asyncio.gather(*(answers(group, block) for block in blocks))
        scored = await asyncio.gather(*scoring)
        killing.cancel()
        assert group.activity().restarts > 0
        assert [len(some) for some in completed] == [len(some) for some in scored] == [40] * 4
        assert [dict(some) for some in completed] == [expected(block) for block in blocks]
        assert [dict(some) for some in scored] == [expected_likelihoods(block, given) for block in blocks]

    with_crew(work, partial(EchoEngine, seconds_each=0.002), workers=3, max_attempts=10)


def test_each_worker_is_seen_with_the_block_it_works_on_and_how_far_it_is() -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        some = [asyncio.create_task(answers(group, block)) for block in (SHORT, LONG)]
        await until(lambda: sum(one.answered for one in group.activity().workers) > 2)
        now = group.activity()
        assert [one.number for one in now.workers] == [1, 2]
        assert {one.block for one in now.workers} == {1, 2}
        assert all(one.alive and 0 < one.asked <= 10 and one.seconds > 0 and one.place for one in now.workers)
        assert now.answering == sum(one.asked - one.answered for one in now.workers)
        assert now.waiting == 50 - sum(one.asked for one in now.workers)
        await asyncio.gather(*some)
        after = group.activity()
        assert [one.block for one in after.workers] == [None, None]
        assert sum(one.tokens for one in after.workers) == after.tokens > 0
        processes[1].returns = False
        processes[1].die()
        await answers(group, SHORT)
        await answers(group, LONG)
        lost = group.activity()
        assert [one.alive for one in lost.workers] == [True, False]
        assert lost.workers[1].seconds_alive >= after.workers[1].seconds_alive

    with_crew(work, partial(EchoEngine, seconds_each=0.01))


def test_the_time_of_the_workers_is_added_up() -> None:
    async def work(group: WorkerGroup, _: Sequence[FakeProcess]) -> WorkersActivity:
        await answers(group, SHORT)
        return group.activity()

    activity = with_crew(work, partial(EchoEngine, seconds_each=0.02))
    assert 0.2 <= activity.seconds_busy < activity.seconds_alive
    assert activity.idle_share is not None
    assert 0.4 < activity.idle_share < 1  # one of two has nothing to do


def warning_engine() -> Engine:
    for _ in range(2):
        logging.getLogger("workers.shared_prefix").warning("the generation config asks for %s", "min_length=3")
    logging.getLogger("workers.shared_prefix").info("all is well")
    return EchoEngine()


def test_what_engines_warn_of_while_they_load_is_said_once_by_the_group(caplog: pytest.LogCaptureFixture) -> None:
    async def work(group: WorkerGroup, processes: Sequence[FakeProcess]) -> None:
        processes[0].die()  # its next process loads the model again
        assert len(await answers(group, LONG)) == 40

    with_crew(work, warning_engine)
    said = [record.getMessage() for record in caplog.records if record.name == "workers.worker_group.group"]
    assert said.count("the generation config asks for min_length=3") == 1
    assert "all is well" not in said
