import asyncio
import subprocess
import sys
import time
from contextlib import aclosing
from functools import partial

import pytest

from configs.errors import InputError
from tests.fakes import EchoEngine, ScriptedModel
from tests.kits.text_model_kit import BLOCK, GREEDY, TextModelKit, answers, run_with
from workers.activity import WorkersActivity
from workers.failures import WorkersUnavailable
from workers.local_worker import LocalWorker
from workers.prompt import PromptBlock
from workers.text_model import Engine, TextModel


class TestLocalWorker(TextModelKit):
    def make(self) -> TextModel:
        return LocalWorker(EchoEngine)


class TestScriptedModel(TextModelKit):
    def make(self) -> TextModel:
        return ScriptedModel()


def refuse() -> Engine:
    raise InputError("there is no model at /nowhere: give model.name a folder that exists")


def test_a_load_failure_is_raised_by_start_as_it_is() -> None:
    with pytest.raises(InputError, match="no model at /nowhere"):
        asyncio.run(LocalWorker(refuse).start())


def test_an_unexpected_exception_of_the_engine_is_not_disguised() -> None:
    with pytest.raises(RuntimeError, match="CUDA error"):
        run_with(LocalWorker(EchoEngine), lambda model: answers(model, PromptBlock("It BREAKS. ", ("?",))))


def test_closing_the_iterator_stops_the_engine_between_two_completions() -> None:
    slow = LocalWorker(partial(EchoEngine, seconds_each=0.05))

    async def work(model: TextModel) -> float:
        async with aclosing(model.generate(PromptBlock("", tuple("abcdefghij" * 4)), GREEDY)) as some:  # type: ignore
            await anext(some)
        began = time.monotonic()
        await answers(model, PromptBlock("", ("next",)))
        return time.monotonic() - began

    assert run_with(slow, work) < 1.0  # the 39 given up would have taken two seconds


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
    worker = LocalWorker(partial(EchoEngine, seconds_each=0.01))

    async def work(model: TextModel) -> tuple[WorkersActivity, WorkersActivity]:
        asking = [asyncio.create_task(answers(model, BLOCK)) for _ in range(3)]
        await asyncio.sleep(0.02)
        during = worker.activity()
        await asyncio.gather(*asking)
        return during, worker.activity()

    assert worker.activity() == WorkersActivity()
    during, after = run_with(worker, work)
    assert (during.alive, during.busy, during.queued) == (1, 1, 2)
    assert after == WorkersActivity(alive=1, tokens=3 * 7 * 5)


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
    began = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert "KeyboardInterrupt" in ended.stderr
    assert time.monotonic() - began < 20
