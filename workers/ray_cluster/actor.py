"""A worker's process in a Ray actor.

Ray starts a lost actor again (`max_restarts=-1`) but never repeats a call (`max_task_retries=0`), which would feed a
poisonous block again and again to the workers that it kills; `group` decides what is sent again. Answers come by
repeated calls of `collect`, not by Ray's streaming generators, which Ray Client (`ray://`) does not know.
"""

import asyncio
import os
import sys
from contextlib import suppress
from typing import Any

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayError, RayTaskError, RuntimeEnvSetupError

from configs.errors import InputError
from configs.schema.workers import RayConfig
from workers.daemon_thread import DaemonThread
from workers.messages import Message
from workers.prompt import Answer, PromptBlock, Task
from workers.ray_cluster.cluster import in_one_line
from workers.ray_cluster.placement import Placement
from workers.text_model import LoadEngine, ModelCard
from workers.worker_group.engine_actor import EngineActor
from workers.worker_group.worker_process import WorkerDead, WorkerLost, WorkerStuck

SILENCE = 120.0  # seconds without an answer after which a process counts as stuck; its heartbeat comes every 10


class RayActor:
    """A WorkerProcess. A new one is asked for at once; where it finds a place is Ray's affair."""

    def __init__(self, placement: Placement, config: RayConfig) -> None:
        self.needs = placement.each()
        self._options = _options(placement, config)
        self._handle = self._create()
        self._is_dead = False

    async def ping(self) -> bool:
        if self._is_dead:  # Ray restarts what it can; what it has given up is replaced here
            self._handle = self._create()
            self._is_dead = False
        answer: bool = await self._answer(self._handle.ping.remote())
        return answer

    async def begin(self, load: LoadEngine) -> ModelCard:
        card: ModelCard | InputError = await self._answer(self._handle.begin.remote(load), seconds=None)
        if isinstance(card, InputError):
            raise card
        return card

    def submit(self, job: int, block: PromptBlock, task: Task[Answer]) -> None:
        self._handle.submit.remote(job, block, task)

    def cancel(self, job: int) -> None:
        with suppress(Exception):  # Ray may be gone already; then there is nothing left to cancel
            self._handle.cancel.remote(job)

    async def collect(self) -> list[Message]:
        answer: list[Message] = await self._answer(self._handle.collect.remote())
        return answer

    async def withdraw(self, job: int) -> bool:
        answer: bool = await self._answer(self._handle.withdraw.remote(job))
        return answer

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        answer: tuple[int, ...] = await self._answer(self._handle.count_tokens.remote(block), seconds=None)
        return answer

    async def kill(self) -> None:
        handle, thread = self._handle, DaemonThread()
        with suppress(RayError, TimeoutError):
            await thread.call(lambda: ray.kill(handle, no_restart=False), SILENCE)
        thread.end()

    def end(self) -> None:
        with suppress(Exception):  # whatever is left of it ends with the driver
            ray.kill(self._handle)

    def _create(self) -> Any:
        return ray.remote(EngineActor).options(**self._options).remote()

    async def _answer(self, reference: Any, seconds: float | None = SILENCE) -> Any:
        """What the call returns, or what its failure means: a WorkerLost or an InputError."""
        outcome = asyncio.wrap_future(reference.future())
        outcome.add_done_callback(_excuse)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(outcome)  # Ray Client trips over cancelled futures
        except TimeoutError as error:
            raise WorkerStuck(f"no sign of life for {seconds:g} s") from error
        except RayError as error:
            self._is_dead |= isinstance(error, ActorDiedError)
            raise meaning_of(error) from error


def _excuse(outcome: asyncio.Future[Any]) -> None:
    """Mark an error as seen, since asyncio complains of those that come when nobody waits any more."""
    if not outcome.cancelled():
        outcome.exception()


def _options(placement: Placement, config: RayConfig) -> dict[str, Any]:
    """Everything Ray would otherwise guess; without `num_cpus`, for one, an actor keeps a whole core for ever."""
    return {
        "num_cpus": placement.cpus,
        "num_gpus": placement.gpus,
        "max_restarts": -1,
        "max_task_retries": 0,
        "runtime_env": environment_of(placement, config),
    }


def environment_of(placement: Placement, config: RayConfig) -> dict[str, Any]:
    """The `runtime_env` of a process of this size."""
    environment = {"OMP_NUM_THREADS": str(max(1, int(placement.cpus)))}
    if not placement.gpus:
        environment["CUDA_VISIBLE_DEVICES"] = ""  # Ray leaves all GPUs visible to actors that asked for none
    if config.address is None and config.working_dir is None:
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return {"env_vars": environment}


def meaning_of(error: RayError) -> WorkerLost | InputError:
    """What a failed call means for the worker that was called."""
    text = in_one_line(str(error))
    if any(sign in text for sign in ("No module named", "ImportError")):
        return InputError(
            f"the workers cannot import what they need ({text}): install demosearch on every node of the "
            "cluster, or set workers.ray.working_dir to the folder that holds search, evaluators, workers and configs"
        )
    if isinstance(error, RuntimeEnvSetupError):
        return InputError(f"the workers' environment fails ({text}): check workers.ray.working_dir")
    if isinstance(error, ActorUnavailableError):
        return WorkerLost("its process ended, or its node cannot be reached")
    if isinstance(error, ActorDiedError):
        return WorkerDead(text)
    if isinstance(error, RayTaskError):
        return WorkerLost(f"{type(error.cause).__name__}: {in_one_line(str(error.cause))}")
    return WorkerLost(text)
