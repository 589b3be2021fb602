"""The crew with processes that are none: a real EngineActor in this loop, which a test can lose at will."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import TypeVar

import pytest

from configs.errors import InputError
from configs.schema import WorkersConfig
from tests.fakes import EchoEngine
from tests.kits.text_model_kit import BLOCK, GREEDY, answers, expected
from workers import crew as crew_module
from workers.crew import Crew
from workers.engine_actor import EngineActor, EngineBroken
from workers.engine_thread import Message
from workers.failures import GenerationFailed, PromptTooLong, WorkersUnavailable
from workers.prompt import Completion, Decoding, PromptBlock
from workers.text_model import Engine, LoadEngine, ModelCard
from workers.worker_process import WorkerLost

T = TypeVar("T")
LONG = PromptBlock("Count. ", tuple(f"number {number}" for number in range(40)))


class FakeProcess:
    """A WorkerProcess in this process.

    Attributes:
        returns: after a loss a new process answers the next ping; else none ever does.
        prompts: every prompt submitted, through all its lives.
        lives: processes so far.
    """

    def __init__(self) -> None:
        self.returns = True
        self.prompts: list[str] = []
        self.lives = 0
        self._actor: EngineActor | None = None
        self._death: asyncio.Event = asyncio.Event()

    def die(self) -> None:
        self._actor = None
        self._death.set()

    async def ping(self) -> bool:
        if self._actor is None and self.returns:
            self._actor, self._death = EngineActor(), asyncio.Event()
            self.lives += 1
        return await self._alive(lambda actor: actor.ping())

    async def begin(self, load: LoadEngine) -> ModelCard:
        card = await self._alive(lambda actor: actor.begin(load))
        if isinstance(card, InputError):
            raise card
        return card

    def submit(self, job: int, block: PromptBlock, decoding: Decoding) -> None:
        self.prompts += [block.prompt(index) for index in range(len(block.suffixes))]
        self._send(lambda actor: actor.submit(job, block, decoding))

    def cancel(self, job: int) -> None:
        self._send(lambda actor: actor.cancel(job))

    async def collect(self) -> list[Message]:
        return await self._alive(lambda actor: actor.collect())

    async def withdraw(self, job: int) -> bool:
        return await self._alive(lambda actor: actor.withdraw(job))

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        return await self._alive(lambda actor: actor.count_tokens(block))

    async def kill(self) -> None:
        self.die()

    def _send(self, call: Callable[[EngineActor], Awaitable[None]]) -> None:
        sending = asyncio.ensure_future(self._alive(call))
        sending.add_done_callback(lambda sent: sent.cancelled() or sent.exception())  # nobody waits for it

    async def _alive(self, call: Callable[[EngineActor], Awaitable[T]]) -> T:
        if self._actor is None:
            raise WorkerLost("no process")
        death = asyncio.ensure_future(self._death.wait())
        doing = asyncio.ensure_future(call(self._actor))
        try:
            await asyncio.wait([death, doing], return_when=asyncio.FIRST_COMPLETED)
            if death.done():
                raise WorkerLost("the process died")
            return await doing
        except (EngineBroken, ValueError) as error:
            raise WorkerLost(str(error)) from error
        finally:
            death.cancel()
            doing.cancel()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew_module, "PAUSE", 0.01)


def with_crew(
    work: Callable[[Crew, Sequence[FakeProcess]], Awaitable[T]],
    load: LoadEngine = EchoEngine,
    workers: int = 2,
    **knobs: object,
) -> T:
    async def everything() -> T:
        config = WorkersConfig.model_validate({"block_size": 10, **knobs})
        crew, processes = Crew(load, config), [FakeProcess() for _ in range(workers)]
        try:
            await crew.load(processes)
            return await work(crew, processes)
        finally:
            await crew.close()

    return asyncio.run(asyncio.wait_for(everything(), 30))


def test_what_a_lost_worker_had_answered_is_kept_and_only_the_rest_is_asked_again() -> None:
    async def work(crew: Crew, processes: Sequence[FakeProcess]) -> list[int]:
        order = []
        async for index, completion in crew.generate(LONG, GREEDY):
            order.append(index)
            assert completion == expected(LONG)[index]
            if len(order) == 15:
                asked = sum(len(process.prompts) for process in processes)
                processes[0].die()
        again = sum(len(process.prompts) for process in processes) - 40
        assert asked == 40
        assert 0 < again < 20  # two pieces of ten were there, some of which had arrived
        assert crew.activity().restarts == 1
        return order

    order = with_crew(work, partial(EchoEngine, seconds_each=0.01))
    assert sorted(order) == list(range(40))


class Tardy(EchoEngine):
    """Takes long to say that it has said everything."""

    def generate(self, block: PromptBlock, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        yield from super().generate(block, decoding)
        time.sleep(0.3)


def test_a_worker_lost_after_its_last_completion_costs_nothing() -> None:
    async def work(crew: Crew, processes: Sequence[FakeProcess]) -> None:
        got = []
        async for answer in crew.generate(BLOCK, GREEDY):
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
        with_crew(lambda crew, processes: crew.count_tokens(BLOCK), Unreadable)


def test_a_worker_that_is_killed_again_and_again_loses_no_completion() -> None:
    async def work(crew: Crew, processes: Sequence[FakeProcess]) -> None:
        async def killer() -> None:
            for number in range(8):
                await asyncio.sleep(0.08)
                processes[number % 2].die()

        killing = asyncio.create_task(killer())
        blocks = [PromptBlock(f"Rule {number}. ", LONG.suffixes) for number in range(6)]
        got = await asyncio.gather(*(answers(crew, block) for block in blocks))  # type: ignore[arg-type]
        await killing
        assert [sorted(index for index, _ in some) for some in got] == [list(range(40))] * 6
        assert [dict(some) for some in got] == [expected(block) for block in blocks]

    with_crew(work, partial(EchoEngine, seconds_each=0.003), max_attempts=10)


def test_a_broken_engine_is_killed_and_its_block_fails_alone_after_its_attempts() -> None:
    async def work(crew: Crew, processes: Sequence[FakeProcess]) -> None:
        bad = PromptBlock("", (*(f"fine {number}" for number in range(5)), "BREAKS", "fine"))
        good = [PromptBlock(f"Rule {number}. ", LONG.suffixes) for number in range(3)]
        *healthy, poisoned = await asyncio.gather(
            *(answers(crew, block) for block in (*good, bad)),  # type: ignore[arg-type]
            return_exceptions=True,
        )
        assert [dict(some) for some in healthy] == [expected(block) for block in good]  # type: ignore[arg-type]
        assert isinstance(poisoned, GenerationFailed)
        assert "2 workers were lost" in str(poisoned)
        assert "RuntimeError: CUDA error: device-side assert triggered" in str(poisoned)
        assert "6 unanswered" in str(poisoned)
        assert sum(process.lives for process in processes) == 2 + 2

    with_crew(work, max_attempts=2)


async def read(crew: Crew, block: PromptBlock) -> tuple[set[int], GenerationFailed]:
    """Which suffixes of a block that fails are answered, and the failure."""
    got = set()
    try:
        async for index, _ in crew.generate(block, GREEDY):
            got.add(index)
    except GenerationFailed as failure:
        return got, failure
    pytest.fail("no failure was raised")


def test_the_healthy_pieces_of_a_block_are_answered_before_its_failure_is_raised() -> None:
    block = PromptBlock("", ("FAILS", *LONG.suffixes))
    got, failure = with_crew(lambda crew, _: read(crew, block))
    assert got == set(range(1, 41))
    assert "contains FAILS" in str(failure)


@pytest.mark.parametrize("failing", [{}, {12: "FAILS"}, {12: "word " * 5001, 39: "FAILS"}])
def test_a_prompt_that_is_too_long_takes_only_its_own_piece_along_and_is_the_failure(failing: dict[int, str]) -> None:
    marked = {0: "word " * 5000, **failing}
    block = PromptBlock("", tuple(marked.get(index, suffix) for index, suffix in enumerate(LONG.suffixes)))
    got, failure = with_crew(lambda crew, _: read(crew, block), partial(EchoEngine, seconds_each=0.002))
    assert isinstance(failure, PromptTooLong)
    assert failure.prompt_tokens == max(len(text.split()) for text in marked.values())
    assert got >= {index for index in range(40) if not any(index // 10 == other // 10 for other in marked)}
    assert got.isdisjoint(marked)
    assert got.isdisjoint(range(10))


def test_closing_an_iterator_drops_queued_pieces_and_stops_running_ones() -> None:
    async def work(crew: Crew, processes: Sequence[FakeProcess]) -> None:
        async with aclosing(crew.generate(PromptBlock("", LONG.suffixes * 5), GREEDY)) as some:
            await anext(some)
        assert crew.activity().queued <= 2  # what was sent ahead; it is being called back
        began = time.monotonic()
        await answers(crew, PromptBlock("", ("next",)))  # type: ignore[arg-type]
        assert time.monotonic() - began < 2  # the 199 given up would have taken five seconds
        assert sum(len(process.prompts) for process in processes) < 100

    with_crew(work, partial(EchoEngine, seconds_each=0.05))


def test_a_worker_that_comes_back_steals_what_waits_behind_another() -> None:
    async def work(crew: Crew, processes: Sequence[FakeProcess]) -> None:
        processes[1].returns = False
        processes[1].die()
        asking = asyncio.create_task(answers(crew, LONG))  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        assert (len(processes[0].prompts), len(processes[1].prompts)) == (40, 0)
        processes[1].returns = True
        assert dict(await asking) == expected(LONG)
        assert len(processes[1].prompts) == 20

    with_crew(work, partial(EchoEngine, seconds_each=0.02), block_size=20)


def test_when_nobody_comes_back_the_run_is_stopped() -> None:
    async def work(crew: Crew, processes: Sequence[FakeProcess]) -> None:
        asking = asyncio.create_task(answers(crew, LONG))  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        for process in processes:
            process.returns = False
            process.die()
        with pytest.raises(WorkersUnavailable, match=r"no worker came back within 0\.3 s"):
            await asking
        with pytest.raises(WorkersUnavailable):
            await answers(crew, BLOCK)  # type: ignore[arg-type]

    with_crew(work, partial(EchoEngine, seconds_each=0.02), start_timeout=0.3)


def test_the_others_go_on_while_one_never_comes_back() -> None:
    async def work(crew: Crew, processes: Sequence[FakeProcess]) -> None:
        processes[0].returns = False
        processes[0].die()
        assert dict(await answers(crew, LONG)) == expected(LONG)  # type: ignore[arg-type]
        assert crew.activity().alive == 1

    with_crew(work, start_timeout=0.2)


def test_idle_deaths_cost_no_attempt() -> None:
    async def work(crew: Crew, processes: Sequence[FakeProcess]) -> None:
        for _ in range(3):
            for process in processes:
                process.die()
            assert dict(await answers(crew, BLOCK)) == expected(BLOCK)  # type: ignore[arg-type]

    with_crew(work, max_attempts=1)


def test_a_load_that_takes_too_long_is_refused_with_the_knob_to_turn() -> None:
    def sleepy() -> Engine:
        time.sleep(1)
        return EchoEngine()

    with pytest.raises(InputError, match=r"not loaded everywhere within 0\.1 s \(workers\.start_timeout\)"):
        with_crew(lambda crew, processes: asyncio.sleep(0), sleepy, start_timeout=0.1)


def test_workers_without_a_place_are_counted() -> None:
    async def load() -> None:
        processes = [FakeProcess(), FakeProcess()]
        processes[1].returns = False
        await Crew(EchoEngine, WorkersConfig(start_timeout=0.2)).load(processes)

    with pytest.raises(InputError, match=r"1 of 2 workers found no place within 0\.2 s"):
        asyncio.run(load())


def test_a_model_that_differs_between_workers_is_refused() -> None:
    names = iter(["echo 1", "echo 2"])
    with pytest.raises(InputError, match="different models, 'echo 1' and 'echo 2'"):
        with_crew(lambda crew, processes: asyncio.sleep(0), lambda: EchoEngine(fingerprint=next(names)))


def test_each_worker_reports_when_it_is_ready(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        with_crew(lambda crew, processes: asyncio.sleep(0))
    assert [record.message for record in caplog.records if "ready" in record.message] == [
        "worker 1 of 2 is ready on cpu after 0 s",
        "worker 2 of 2 is ready on cpu after 0 s",
    ]
