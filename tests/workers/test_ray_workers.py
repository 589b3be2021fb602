"""RayWorkers on real clusters on this machine; the crew's decisions are tested faster in test_crew."""

import asyncio
import os
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
from configs.schema import RayConfig, WorkersConfig
from tests.fakes import EchoEngine
from tests.kits.text_model_kit import BLOCK, TextModelKit, answers, expected, run_with
from workers.activity import WorkersActivity
from workers.failures import GenerationFailed
from workers.prompt import PromptBlock
from workers.ray_workers import RayWorkers
from workers.text_model import Engine, LoadEngine, ModelCard, TextModel

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
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # else Ray writes a token into the home directory
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        # Its handler makes SIGTERM a SystemExit in whatever test runs, and pytest goes on with a cluster that is gone.
        patch.setattr("ray._private.utils.set_sigterm_handler", lambda handler: None)
        yield


def test_a_local_cluster_is_started_when_none_is_named_and_stopped_afterwards() -> None:
    assert not ray.is_initialized()
    got = run_with(RayWorkers(EchoEngine, config(count=1)), lambda model: answers(model, BLOCK), seconds=200)
    assert dict(got) == expected(BLOCK)
    assert not ray.is_initialized()


def test_a_local_cluster_that_does_not_start_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    trials = []

    def init(*_: object, **__: object) -> None:
        trials.append(threading.current_thread())
        raise RuntimeError("Timed out while waiting for GCS to become available.")

    monkeypatch.setattr(ray, "init", init)
    sentence = r"Ray cannot be started on this machine \(RuntimeError: Timed out .*\): set workers.kind to local"
    with pytest.raises(InputError, match=sentence):
        run_with(RayWorkers(EchoEngine, config()), lambda model: asyncio.sleep(0))
    first, second = trials
    assert first is not second  # Linux ends a trial's processes with its thread
    first.join(5)
    assert not first.is_alive()


def test_an_address_where_nobody_listens_is_refused_within_seconds() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    for wrong in (address, f"ray://{address}", "cluster"):
        began = time.monotonic()
        with pytest.raises(
            InputError, match=f"the Ray cluster at {wrong} cannot be reached .*check workers.ray.address"
        ):
            run_with(RayWorkers(EchoEngine, config(ray=RayConfig(address=wrong))), lambda model: asyncio.sleep(0))
        assert time.monotonic() - began < 10


# --------------------------------------------------------------------------------------------------- with one cluster


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    head = {"num_cpus": 4, "num_gpus": 2, "_system_config": QUICK_DEATH, **SMALL}
    nodes = Cluster(initialize_head=True, connect=False, head_node_args=head)
    yield nodes
    nodes.shutdown()  # type: ignore[no-untyped-call]


def test_a_local_cluster_that_starts_at_the_second_trial_is_used(
    nodes: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    init, trials = ray.init, iter((False, True))

    def once_too_slow(*_: object, **__: object) -> None:
        if not next(trials):
            raise RuntimeError("Timed out while waiting for GCS to become available.")
        init(nodes.address, log_to_driver=False)

    monkeypatch.setattr(ray, "init", once_too_slow)
    with pytest.raises(InputError, match=r"3 GPUs .* fits on no node; there are 1 node with 4 CPU"):
        run_with(RayWorkers(EchoEngine, config(gpus_per_worker=3)), lambda model: asyncio.sleep(0))
    assert "trying once more" in caplog.text
    assert not ray.is_initialized()


def pull_the_plug(node: Node) -> None:
    """SIGKILL the node's raylet with all its children. `Cluster.remove_node` takes seconds, an orphan even longer."""
    [raylet] = node.all_processes["raylet"]
    doomed = [raylet.process.pid]
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"PPid:\t{raylet.process.pid}\n" in (folder / "status").read_text():
                doomed.append(int(folder.name))
    for pid in doomed:
        os.kill(pid, signal.SIGKILL)


def test_a_lost_node_costs_no_completion_and_the_others_go_on(nodes: Cluster) -> None:
    """Each node has room for one of the two workers; all other tests come when the second is gone."""
    second = nodes.add_node(num_cpus=3, **SMALL)
    there = config(cpus_per_worker=3, ray=RayConfig(address=nodes.address))
    workers = RayWorkers(partial(EchoEngine, seconds_each=0.05), there)

    async def work(model: TextModel) -> tuple[list[Any], WorkersActivity]:
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


@pytest.fixture(scope="module")
def cluster(nodes: Cluster) -> Iterator[None]:
    ray.init(nodes.address, log_to_driver=False)
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
    got = run_with(workers, lambda model: answers(model, LONG))
    assert (tmp_path / "died").exists()
    assert workers.activity().restarts == 1
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


@pytest.mark.usefixtures("cluster")
def test_what_no_node_can_hold_is_refused_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(
        InputError, match="a worker of 3 GPUs and 1 CPU core fits on no node; there are 1 node with 4 CPU"
    ):
        run_with(RayWorkers(EchoEngine, config(gpus_per_worker=3, cpus_per_worker=1)), lambda model: asyncio.sleep(0))
    assert time.monotonic() - began < 3


@dataclass
class Surroundings(EchoEngine):
    """Tells in its card what its process may use."""

    @property
    def card(self) -> ModelCard:
        seen = [os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")]
        return ModelCard(self.fingerprint, self.context_tokens, " ".join(map(repr, seen)))


async def device(model: TextModel) -> str:
    return (await model.start()).device


@pytest.mark.usefixtures("cluster")
def test_workers_see_their_own_gpus_and_cores_only() -> None:
    without = config(count=1, cpus_per_worker=2)
    assert run_with(RayWorkers(Surroundings, without), device) == "'' '2'"
    shared = config(count=1, gpus_per_worker="auto", cpus_per_worker=0)
    assert run_with(RayWorkers(Surroundings, shared), device) in ("'0' '1'", "'1' '1'")
