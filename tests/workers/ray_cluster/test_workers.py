"""RayWorkers on real clusters on this machine; the worker group's decisions are tested faster in test_crew."""

import asyncio
import logging
import os
import random
import re
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
import ray
from ray._private.node import Node
from ray.cluster_utils import Cluster

from configs.errors import InputError
from configs.schema.workers import RayConfig, WorkersConfig
from tests.fakes import EchoEngine, EchoRewardEngine
from tests.kits.text_model_kit import (
    BLOCK,
    TextModelKit,
    answers,
    expected,
    expected_likelihoods,
    expected_rewards,
    likelihoods,
    rewards,
    run_with,
)
from tests.local_ray import quiet_ray
from workers.activity import WorkersActivity
from workers.failures import GenerationFailed, WorkersUnavailable
from workers.prompt import Continuations, PromptBlock
from workers.ray_cluster import placement
from workers.ray_cluster.cluster import RayCluster
from workers.ray_cluster.workers import RayWorkers
from workers.text_model import Engine, LoadEngine, ModelCard, TextModel

pytestmark = pytest.mark.heavy

T = TypeVar("T")
LONG = PromptBlock("Count. ", tuple(f"number {number}" for number in range(40)))
SMALL: dict[str, Any] = {"include_dashboard": False, "object_store_memory": 100 * 2**20}
QUICK_DEATH = {  # of nodes that are gone, which refuse a check at once; Ray's own settings need 16 s to notice
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 2,
    "health_check_timeout_ms": 10_000,  # those that are only slow live on
}


def config(**knobs: Any) -> WorkersConfig:
    defaults = {"count": 2, "gpus_per_worker": 0, "cpus_per_worker": 0.5, "block_size": 10, "start_timeout": 60}
    return WorkersConfig.model_validate({**defaults, **knobs})


# ------------------------------------------------------------------------------------------- without a cluster


@pytest.fixture(scope="module", autouse=True)
def _environment() -> Iterator[None]:
    with quiet_ray():
        yield


def test_a_local_cluster_is_started_when_none_is_named_and_stopped_afterwards() -> None:
    assert not ray.is_initialized()
    got = run_with(RayWorkers(EchoEngine, config(count=1)), lambda model: answers(model, BLOCK), seconds=200)
    assert dict(got) == expected(BLOCK)
    assert not ray.is_initialized()


@pytest.mark.parametrize(
    ("folder", "error", "sentence"),
    [
        (
            None,
            "Timed out.",
            r"Ray cannot be started on this machine \(RuntimeError: Timed .*\): set workers.kind to local",
        ),
        (
            Path(__file__).parent,
            "Package size (612.00MiB) exceeds",
            r"workers.ray.working_dir cannot be sent .*612.00MiB.* smaller",
        ),
    ],
)
def test_a_local_cluster_that_does_not_start_twice_is_refused(folder: Path | None, error: str, sentence: str) -> None:
    trials = []

    def init(*_: object, **__: object) -> None:
        trials.append(threading.current_thread())
        raise RuntimeError(error)

    async def connect() -> None:
        cluster = RayCluster(RayConfig(working_dir=folder), init)
        try:
            await cluster.connect()
        finally:
            await cluster.leave()

    with pytest.raises(InputError, match=sentence):
        asyncio.run(connect())
    first, second = trials
    assert first is not second  # Linux ends a trial's processes with its thread
    first.join(5)
    assert not first.is_alive()


def test_an_address_where_nobody_listens_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    for wrong in (address, f"ray://{address}", "cluster"):
        with pytest.raises(
            InputError, match=f"the Ray cluster at {wrong} cannot be reached .*check workers.ray.address"
        ):
            run_with(
                RayWorkers(EchoEngine, config(ray=RayConfig(address=wrong))), lambda _: asyncio.sleep(0), seconds=20
            )


@dataclass
class Surroundings(EchoEngine):
    """Tells in its card what its process may use."""

    @property
    def card(self) -> ModelCard:
        seen = [os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")]
        return ModelCard(self.fingerprint, self.context_tokens, " ".join(map(repr, seen)))


async def device(model: TextModel) -> str:
    return (await model.start()).device


# --------------------------------------------------------------------------------------------------- with one cluster


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    head = {"num_cpus": 4, "num_gpus": 2, "_system_config": QUICK_DEATH, **SMALL}
    nodes = Cluster(initialize_head=True, connect=False, head_node_args=head)
    yield nodes
    nodes.shutdown()  # type: ignore[no-untyped-call]


def test_a_local_cluster_that_starts_at_the_second_trial_is_used(
    nodes: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    trials = iter((False, True))

    def once_too_slow(*_: object, **__: object) -> None:
        if not next(trials):
            raise RuntimeError("Timed out while waiting for GCS to become available.")
        ray.init(nodes.address, log_to_driver=False)

    async def connect() -> list[placement.Node]:
        cluster = RayCluster(RayConfig(), once_too_slow)
        await cluster.connect()
        found = await cluster.nodes()
        await cluster.leave()
        return found

    [head] = asyncio.run(connect())
    assert (head["CPU"], head["GPU"]) == (4, 2)
    assert "trying once more" in caplog.text
    assert not ray.is_initialized()


def processes_of(node: Node, name: str = "") -> list[int]:
    """Ids of the raylet's children whose command line begins like this."""
    [raylet] = node.all_processes["raylet"]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_child = f"PPid:\t{raylet.process.pid}\n" in (folder / "status").read_text()
            if is_child and (folder / "cmdline").read_text().startswith(name):
                found.append(int(folder.name))
    return found


def pull_the_plug(node: Node) -> None:
    """SIGKILL the node's raylet with all its children. `Cluster.remove_node` takes seconds, an orphan even longer."""
    [raylet] = node.all_processes["raylet"]
    for pid in (raylet.process.pid, *processes_of(node)):
        with suppress(ProcessLookupError):  # gone with its raylet already
            os.kill(pid, signal.SIGKILL)


async def until(it_is_so: Callable[[], bool]) -> None:
    while not it_is_so():  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.05)


def test_a_lost_node_costs_no_completion_and_the_others_go_on(nodes: Cluster) -> None:
    """Each node has room for one of the two workers; all other tests come when the second is gone."""
    second = nodes.add_node(num_cpus=3, **SMALL)
    there = config(cpus_per_worker=3, ray=RayConfig(address=nodes.address))
    workers = RayWorkers(partial(EchoEngine, seconds_each=0.05), there)

    async def work(model: TextModel) -> tuple[list[Any], WorkersActivity]:
        await until(lambda: model.activity().alive == 2)  # so that each has its share
        asking = asyncio.create_task(answers(model, LONG))
        await asyncio.sleep(0.5)
        pull_the_plug(second)
        return await asking, model.activity()

    got, activity = run_with(workers, work, seconds=200)
    assert len(got) == 40
    assert dict(got) == expected(LONG)
    assert (activity.alive, activity.restarts) == (1, 1)
    assert workers.activity().alive == 0
    assert not ray.is_initialized()


def test_a_node_that_joins_gets_workers_while_the_run_goes_on_and_may_leave_again(nodes: Cluster) -> None:
    """The head node has two GPUs, the new one three; the most are three workers."""
    knobs = {"count": "auto", "gpus_per_worker": 1, "max_count": 3, "ray": RayConfig(address=nodes.address)}
    workers = RayWorkers(partial(EchoEngine, seconds_each=0.05), config(**knobs), watch=0.2)

    async def work(model: TextModel) -> list[Any]:
        await until(lambda: model.activity().alive == 2)
        asking = asyncio.create_task(answers(model, PromptBlock("Count. ", LONG.suffixes * 20)))
        new = await asyncio.to_thread(nodes.add_node, num_cpus=3, num_gpus=3, **SMALL)
        await until(lambda: model.activity().alive == 3)
        assert not asking.done()
        pull_the_plug(new)
        await until(lambda: model.activity().alive == 2)
        return await asking

    got = run_with(workers, work, seconds=200)
    assert len(got) == 800
    assert dict(got) == expected(PromptBlock("Count. ", LONG.suffixes * 20))
    assert workers.activity().restarts == 1


def test_a_worker_that_fits_on_no_node_waits_for_the_autoscaler_when_told_so(
    nodes: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    there = RayConfig(address=nodes.address, autoscaling=True)
    workers = RayWorkers(Surroundings, config(count=1, gpus_per_worker=3, ray=there))

    async def start() -> str:
        starting = asyncio.create_task(device(workers))
        await until(lambda: "waiting for the autoscaler" in caplog.text)
        new = await asyncio.to_thread(nodes.add_node, num_cpus=1, num_gpus=3, **SMALL)
        seen = await starting
        await workers.close()
        pull_the_plug(new)
        return seen

    assert asyncio.run(asyncio.wait_for(start(), 200)) == "'0,1,2' '1'"
    assert "no room for 1 of 1 worker of 3 GPUs and 0.5 CPU cores each; there are 1 node with 4 CPU" in caplog.text


@pytest.fixture(scope="module")
def cluster(nodes: Cluster) -> Iterator[None]:
    """Of the head node alone: those that other tests have unplugged are gone when the cluster has noticed."""
    ray.init(nodes.address, log_to_driver=False)
    while sum(node["Alive"] for node in ray.nodes()) > 1:  # type: ignore[no-untyped-call]
        time.sleep(0.1)
    yield
    ray.shutdown()


@pytest.mark.usefixtures("cluster")
class TestRayWorkers(TextModelKit):
    """One model for all tests: starting actors takes seconds."""

    runner: ClassVar[asyncio.Runner]
    model: ClassVar[TextModel]

    @pytest.fixture(scope="class", autouse=True)
    @staticmethod
    def _one_model(cluster: None) -> Iterator[None]:
        with asyncio.Runner() as runner:
            TestRayWorkers.runner, TestRayWorkers.model = runner, RayWorkers(EchoEngine, config())
            runner.run(TestRayWorkers.model.start())
            yield
            runner.run(TestRayWorkers.model.close())

    def make(self) -> TextModel:
        return RayWorkers(EchoEngine, config(count=1))

    def run(self, work: Callable[[TextModel], Awaitable[T]]) -> T:
        async def within_a_minute() -> T:
            return await asyncio.wait_for(work(self.model), 60)

        return self.runner.run(within_a_minute())


@pytest.mark.usefixtures("cluster")
def test_a_worker_killed_in_the_middle_of_a_block_loses_and_repeats_no_completion(tmp_path: Path) -> None:
    """The engine sends itself SIGKILL, once; both workers have two pieces at that moment."""
    load = partial(EchoEngine, seconds_each=0.02, dies_at="number 13", die_once=str(tmp_path / "died"))
    workers = RayWorkers(load, config())

    async def work(model: TextModel) -> list[Any]:
        got = await answers(model, LONG)
        await until(lambda: model.activity().restarts == 1)  # a copy may have been faster than the news of the loss
        return got

    got = run_with(workers, work)
    assert (tmp_path / "died").exists()
    assert len(got) == 40
    assert dict(got) == expected(LONG)


@pytest.mark.usefixtures("cluster")
def test_a_poisonous_block_fails_alone() -> None:
    healthy = [PromptBlock(f"Rule {number}. ", BLOCK.suffixes) for number in range(3)]
    blocks = [healthy[0], PromptBlock("POISON ", BLOCK.suffixes), *healthy[1:]]
    workers = RayWorkers(EchoEngine, config(max_attempts=2))

    async def work(model: TextModel) -> list[Any]:
        return await asyncio.gather(*(answers(model, block) for block in blocks), return_exceptions=True)

    first, poisoned, *others = run_with(workers, work)
    assert [dict(some) for some in (first, *others)] == [expected(block) for block in healthy]
    assert type(poisoned) is GenerationFailed
    assert "2 workers were lost" in str(poisoned)


def refuse() -> Engine:
    raise InputError("there is no model at /nowhere: give model.name a folder that exists")


def crash() -> Engine:
    raise OSError("the disk is gone")


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("load", "sentence"),
    [
        (refuse, "there is no model at /nowhere: give model.name a folder that exists"),
        (crash, "the model could not be loaded (OSError: the disk is gone)"),
    ],
)
def test_a_load_failure_arrives_as_its_sentence(load: LoadEngine, sentence: str) -> None:
    with pytest.raises(InputError) as refusal:
        run_with(RayWorkers(load, config(count=1)), lambda model: asyncio.sleep(0))
    assert str(refusal.value) == sentence


def sleepy() -> Engine:
    time.sleep(60)
    return EchoEngine()


@pytest.mark.usefixtures("cluster")
def test_closing_while_the_model_is_loaded_ends_what_waits_for_it_as_unavailable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    workers = RayWorkers(sleepy, config(count=1))

    async def work() -> None:
        asking = asyncio.create_task(answers(workers, BLOCK))
        await until(lambda: "is loading the model" in caplog.text)
        await workers.close()
        with pytest.raises(WorkersUnavailable, match="closed"):
            await asking

    with caplog.at_level(logging.INFO):
        asyncio.run(asyncio.wait_for(work(), 50))


@pytest.mark.usefixtures("cluster")
def test_what_no_node_can_hold_is_refused_at_once() -> None:
    with pytest.raises(
        InputError, match="a worker of 3 GPUs and 1 CPU core fits on no node; there are 1 node with 4 CPU"
    ):
        run_with(
            RayWorkers(EchoEngine, config(gpus_per_worker=3, cpus_per_worker=1, start_timeout=600)),
            lambda model: asyncio.sleep(0),
        )


@pytest.mark.usefixtures("cluster")
def test_workers_see_their_own_gpus_and_cores_only() -> None:
    without = config(count=1, cpus_per_worker=2)
    assert run_with(RayWorkers(Surroundings, without), device) == "'' '2'"
    shared = config(count=1, gpus_per_worker="auto", cpus_per_worker=0)
    assert run_with(RayWorkers(Surroundings, shared), device) in ("'0' '1'", "'1' '1'")


@pytest.mark.usefixtures("cluster")
def test_several_workers_share_a_gpu_and_a_node(caplog: pytest.LogCaptureFixture) -> None:
    workers = RayWorkers(Surroundings, config(count="auto", gpus_per_worker=0.5))
    places: list[str] = []

    async def work(model: TextModel) -> list[Any]:
        await until(lambda: model.activity().alive == 4)
        places.extend(one.place for one in model.activity().workers)
        return await answers(model, LONG)

    with caplog.at_level(logging.INFO):
        assert dict(run_with(workers, work, seconds=120)) == expected(LONG)
    ready = re.findall(r"is ready on '(\d)' '1'", caplog.text)
    assert sorted(ready) == ["0", "0", "1", "1"]
    assert sorted(place.split(" ", 1)[1] for place in places) == ["GPU 0", "GPU 0", "GPU 1", "GPU 1"]


@pytest.mark.usefixtures("cluster")
def test_a_worker_may_have_several_gpus() -> None:
    assert run_with(RayWorkers(Surroundings, config(count="auto", gpus_per_worker=2)), device) in (
        "'0,1' '1'",
        "'1,0' '1'",
    )


@pytest.mark.usefixtures("cluster")
def test_texts_are_rated_by_actors_too() -> None:
    workers = RayWorkers(EchoRewardEngine, config())
    assert dict(run_with(workers, lambda model: rewards(model, LONG))) == expected_rewards(LONG)


@pytest.mark.usefixtures("cluster")
def test_workers_killed_at_random_lose_and_repeat_no_completion_and_no_likelihood(nodes: Cluster) -> None:
    workers = RayWorkers(partial(EchoEngine, seconds_each=0.02), config(count=3, max_attempts=10))
    given = Continuations(tuple(f"item {number}" for number in range(40)))
    blocks = [PromptBlock(f"Rule {number}. ", LONG.suffixes) for number in range(6)]
    chance, head = random.Random(3), nodes.head_node
    assert head is not None

    async def killer(model: TextModel) -> None:
        for _ in range(5):
            await until(lambda: model.activity().alive > 1)  # the next ones are killed while the last come back
            os.kill(chance.choice(processes_of(head, "ray::EngineActor")), signal.SIGKILL)
            await asyncio.sleep(0.3)

    async def work(model: TextModel) -> tuple[list[Any], list[Any]]:
        killing = asyncio.create_task(killer(model))
        scoring = [asyncio.create_task(likelihoods(model, block, given)) for block in blocks]
        completed = await asyncio.gather(*(answers(model, block) for block in blocks))
        scored = await asyncio.gather(*scoring)
        killing.cancel()
        return completed, scored

    completed, scored = run_with(workers, work, seconds=200)
    assert workers.activity().restarts >= 2
    assert [len(some) for some in (*completed, *scored)] == [40] * 12
    assert [dict(some) for some in completed] == [expected(block) for block in blocks]
    assert [dict(some) for some in scored] == [expected_likelihoods(block, given) for block in blocks]
