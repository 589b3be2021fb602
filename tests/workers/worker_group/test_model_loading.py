import asyncio
import logging
import re
import time
from collections.abc import Callable

import pytest

from configs.errors import InputError
from tests.fakes import EchoEngine
from tests.workers.worker_group.fake_process import FakeProcess
from workers.text_model import Engine, LoadEngine, ModelCard
from workers.worker_group.model_loading import load_model
from workers.worker_group.worker_handle import WorkerHandle
from workers.worker_group.worker_process import WorkerDead, WorkerLost

PAUSE = 0.01


def lines(
    caplog: pytest.LogCaptureFixture, load: Callable[[WorkerHandle], object], process: FakeProcess | None = None
) -> list[str]:
    """What is said while the third of four workers does something."""
    group: list[WorkerHandle] = []
    group += [WorkerHandle(number, process or FakeProcess(), group) for number in range(4)]
    began = time.monotonic()
    with caplog.at_level(logging.INFO):
        load(group[2])
    took = time.monotonic() - began
    seconds = [int(told) for record in caplog.records for told in re.findall(r"(\d+) s$", record.message)]
    assert all(one <= took + 0.5 for one in seconds)  # how many they are is a matter of how busy the machine is
    return [re.sub(r"\d+ s$", "N s", record.message) for record in caplog.records]


def test_each_worker_says_when_it_begins_and_when_it_is_ready(caplog: pytest.LogCaptureFixture) -> None:
    heard = lines(caplog, lambda handle: asyncio.run(load_model(handle, EchoEngine, 3, PAUSE)))
    assert heard == ["worker 3 of 4 is loading the model", "worker 3 of 4 is ready on cpu after N s"]


def test_a_reminder_comes_while_loading_lasts(caplog: pytest.LogCaptureFixture) -> None:
    def until_reminded_twice() -> Engine:
        while len(caplog.records) < 3:
            time.sleep(0.01)
        return EchoEngine()

    first, *reminders, last = lines(
        caplog, lambda handle: asyncio.run(load_model(handle, until_reminded_twice, 3, PAUSE, reminder=0.02))
    )
    assert "is loading" in first
    assert len(reminders) >= 2
    assert set(reminders) == {"worker 3 of 4 has been loading for N s"}
    assert "is ready" in last


def test_a_worker_without_a_place_says_what_it_waits_for_less_and_less_often(caplog: pytest.LogCaptureFixture) -> None:
    async def wait(handle: WorkerHandle) -> None:
        process.returns = False
        loading = asyncio.create_task(load_model(handle, EchoEngine, 3, PAUSE, reminder=0.04))
        while len(caplog.records) < 3:  # noqa: ASYNC110 -- nothing tells
            await asyncio.sleep(0.01)
        loading.cancel()

    process = FakeProcess()
    heard = lines(caplog, lambda handle: asyncio.run(wait(handle)), process)
    assert set(heard) == {"worker 3 of 4 has been waiting for a place with 1 CPU core for N s"}
    first, second, third = (record.created for record in caplog.records[:3])
    assert second - first > 0.07
    assert third - second > 0.14


class Stillborn(FakeProcess):
    async def ping(self) -> bool:
        self.lives += 1
        raise WorkerDead("the node has no such library")


def test_a_process_that_ends_before_it_answers_is_not_tried_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    async def load(handle: WorkerHandle) -> ModelCard:
        return await load_model(handle, EchoEngine, 2, PAUSE)

    process = Stillborn()
    with pytest.raises(InputError, match="ended 2 times before it answered: the node has no such library"):
        lines(caplog, lambda handle: asyncio.run(load(handle)), process)
    assert process.lives == 2


class Overfull(FakeProcess):
    """Its machine has memory for the model from the `fits`-th attempt on."""

    def __init__(self, fits: int) -> None:
        super().__init__()
        self.fits = fits

    async def begin(self, load: LoadEngine) -> ModelCard:
        if self.lives < self.fits:
            self.die()
            raise WorkerLost("its process ended")
        return await super().begin(load)


def test_a_process_that_dies_while_it_loads_is_tried_again_but_not_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    heard = lines(caplog, lambda handle: asyncio.run(load_model(handle, EchoEngine, 3, PAUSE)), Overfull(fits=3))
    assert heard == ["worker 3 of 4 is loading the model"] * 3 + ["worker 3 of 4 is ready on cpu after N s"]
    with pytest.raises(InputError, match=r"a worker died 3 times while it loaded the model \(its process ended\)"):
        lines(caplog, lambda handle: asyncio.run(load_model(handle, EchoEngine, 3, PAUSE)), Overfull(fits=4))
