"""A TextModel made of Ray actors, on this machine or on a cluster. The one file that imports Ray.

Ray starts a lost actor again (`max_restarts=-1`) but never repeats a call (`max_task_retries=0`), which would feed a
poisonous block again and again to the workers that it kills; `crew` decides what is sent again. Completions come by
repeated calls of `collect`, not by Ray's streaming generators, which Ray Client (`ray://`) does not know.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError, RayError, RayTaskError, RuntimeEnvSetupError

from configs.errors import InputError
from configs.schema import RayConfig, WorkersConfig
from workers.activity import WorkersActivity
from workers.crew import Crew
from workers.daemon_thread import DaemonThread
from workers.engine_actor import EngineActor
from workers.engine_thread import Message
from workers.failures import WorkersUnavailable
from workers.placement import Node, Placement, place
from workers.prompt import Completion, Decoding, PromptBlock
from workers.text_model import LoadEngine, ModelCard
from workers.worker_process import WorkerDead, WorkerLost, WorkerStuck

CONNECTING = 120.0  # seconds to reach a cluster or to start one
REACHING = 5.0  # seconds for a plain connection to its address, tried before Ray's own long trials
SILENCE = 120.0  # seconds without an answer after which a process counts as stuck; its heartbeat comes every 10
CLOSING = 30.0  # seconds to give everything back
OBJECT_STORE = 256 * 2**20  # bytes on a local cluster; prompts and completions are small

logger = logging.getLogger(__name__)
T = TypeVar("T")


class RayWorkers:
    """Many engines as one model.

    When Ray is already initialised in this process it is used as it is and left running; otherwise `config.ray` says
    which cluster to join, or a local one is started, and `close` leaves it.
    """

    def __init__(self, load_engine: LoadEngine, config: WorkersConfig) -> None:
        self._config = config
        self._crew = Crew(load_engine, config)
        self._actors: list[_Actor] = []
        self._thread: DaemonThread | None = None  # see _ray
        self._starting: asyncio.Task[ModelCard] | None = None
        self._joined = self._closed = False

    async def start(self) -> ModelCard:
        if self._closed:
            raise WorkersUnavailable("the model has been closed; make a new one to generate again")
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        return await asyncio.shield(self._starting)

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        await self.start()
        return await self._crew.count_tokens(block)

    async def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:
        await self.start()
        async with aclosing(self._crew.generate(block, decoding)) as answers:
            async for answer in answers:
                yield answer

    async def close(self) -> None:
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        await self._crew.close()
        await self._release()

    def activity(self) -> WorkersActivity:
        return self._crew.activity()

    async def _start(self) -> ModelCard:
        try:
            await self._connect()
            placement = place(self._config, await self._ray(_living_nodes, CONNECTING))
            logger.info("loading the model on %s each", placement)
            options = _options(placement, self._config.ray)
            self._actors = [_Actor(options) for _ in range(placement.count)]
            return await self._crew.load(self._actors)
        except BaseException:
            await self._release()
            raise

    async def _connect(self) -> None:
        if ray.is_initialized():
            if self._config.ray.address is not None:
                logger.warning("Ray is connected already; workers.ray.address %s is not used", self._config.ray.address)
            return
        for is_last in (self._config.ray.address is not None, True):
            self._joined = True
            try:
                await self._ray(lambda: _join(self._config.ray), CONNECTING)
                return
            except TimeoutError as error:
                raise _unreachable(self._config.ray, f"no answer within {CONNECTING:g} s") from error
            except InputError as error:
                if is_last:
                    raise
                # Ray gives its parts 30 s to start: little where the machine is loaded or its files come from afar.
                logger.warning("%s; trying once more", error)
                await self._release()  # all that this trial has started ends with its thread

    async def _release(self) -> None:
        """Leave no actor behind, and Ray if it was entered here. Idempotent; never raises, never hangs."""
        actors, self._actors = self._actors, []
        joined, self._joined = self._joined, False
        if actors or joined:
            with suppress(TimeoutError):
                await self._ray(lambda: _leave(actors, joined), CLOSING)
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    async def _ray(self, work: Callable[[], T], seconds: float) -> T:
        """Blocking work, all in one thread that lives as long as Ray does: Linux kills the processes of a local cluster
        when the thread that started them ends (PR_SET_PDEATHSIG)."""
        if self._thread is None:
            self._thread = DaemonThread()
        return await self._thread.call(work, seconds)


class _Actor:
    """A WorkerProcess in a Ray actor."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
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

    def submit(self, job: int, block: PromptBlock, decoding: Decoding) -> None:
        self._handle.submit.remote(job, block, decoding)

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
            raise _translated(error) from error


def _excuse(outcome: asyncio.Future[Any]) -> None:
    """Mark an error as seen, since asyncio complains of those that come when nobody waits any more."""
    if not outcome.cancelled():
        outcome.exception()


def _options(placement: Placement, config: RayConfig) -> dict[str, Any]:
    """Everything Ray would otherwise guess; without `num_cpus`, for one, an actor keeps a whole core for ever."""
    environment = {"OMP_NUM_THREADS": str(max(1, int(placement.cpus)))}
    if not placement.gpus:
        environment["CUDA_VISIBLE_DEVICES"] = ""  # Ray leaves all GPUs visible to actors that asked for none
    if config.address is None and config.working_dir is None:
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return {
        "num_cpus": placement.cpus,
        "num_gpus": placement.gpus,
        "max_restarts": -1,
        "max_task_retries": 0,
        "runtime_env": {"env_vars": environment},
    }


def _join(config: RayConfig) -> None:
    """Join the cluster at the address, or start a local one. Blocks."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    logging.getLogger("ray._private.worker").setLevel(logging.ERROR)  # it would warn that SIGTERM is left to us
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if config.working_dir is not None:
        common["runtime_env"] = {"working_dir": str(config.working_dir)}
    try:
        if config.address is None:
            ray.init("local", include_dashboard=False, object_store_memory=OBJECT_STORE, **common)
        else:
            _knock(config.address)
            ray.init(config.address, **common)
    except Exception as error:
        raise _unreachable(config, f"{type(error).__name__}: {_first_line(str(error))}") from error


def _knock(address: str) -> None:
    """Is anything listening there? Raises OSError or ValueError within seconds, where Ray would try for minutes."""
    if address in ("auto", "local"):
        return
    place = urlsplit(address if "://" in address else f"//{address}")
    port = place.port or (10001 if place.scheme == "ray" else None)
    if not place.hostname or port is None:
        raise ValueError("the address is neither host:port nor ray://host:port")
    socket.create_connection((place.hostname, port), REACHING).close()


def _living_nodes() -> list[Node]:
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def _leave(actors: list[_Actor], joined: bool) -> None:
    for actor in actors:
        actor.end()
    if joined:
        ray.shutdown()


def _unreachable(config: RayConfig, reason: str) -> InputError:
    if config.address is None:
        return InputError(f"Ray cannot be started on this machine ({reason}): set workers.kind to local")
    return InputError(
        f"the Ray cluster at {config.address} cannot be reached ({reason}): check workers.ray.address, that Ray and "
        "Python have the same versions there, and that RAY_AUTH_TOKEN or ~/.ray/auth_token holds the cluster's token"
    )


def _translated(error: RayError) -> Exception:
    """What a failed call means for the worker that was called."""
    text = str(error)
    if any(sign in text for sign in ("No module named", "ImportError")):
        return InputError(
            f"the workers cannot import what they need ({_last_line(text)}): install demosearch on every node of the "
            "cluster, or set workers.ray.working_dir to the folder that holds search, evaluators, workers and configs"
        )
    if isinstance(error, RuntimeEnvSetupError):
        return InputError(f"the workers' environment fails ({_first_line(text)}): check workers.ray.working_dir")
    if isinstance(error, ActorUnavailableError):
        return WorkerLost("its process ended, or its node cannot be reached")
    if isinstance(error, ActorDiedError):
        return WorkerDead(_last_line(text))
    if isinstance(error, RayTaskError):
        return WorkerLost(f"{type(error.cause).__name__}: {_first_line(str(error.cause))}")
    return WorkerLost(_first_line(text))


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].strip()[:200]
