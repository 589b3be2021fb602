"""The Ray cluster that the workers live on: joined, started here, or found and left as it is."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import ray
from ray.job_config import JobConfig

from configs.errors import InputError
from configs.schema.workers import RayConfig
from workers.daemon_thread import DaemonThread
from workers.ray_cluster.placement import Node

CONNECTING = 120.0  # seconds to reach a cluster or to start one
REACHING = 5.0  # seconds for a plain connection to its address, tried before Ray's own long trials
CLOSING = 30.0  # seconds to give everything back
LOST = 5.0  # seconds to give back what is left where the head is lost
OBJECT_STORE = 256 * 2**20  # bytes on a local cluster; prompts and answers are small

_LONGEST = 1000  # characters of Ray's own words

logger = logging.getLogger(__name__)
T = TypeVar("T")


class RayCluster:
    """A connection to Ray. When Ray is already initialised in this process it is used as it is and left running.

    Args:
        init: as `ray.init`.
    """

    def __init__(self, config: RayConfig, init: Callable[..., object] = ray.init) -> None:
        self._config = config
        self._init = init
        self._thread: DaemonThread | None = None  # see _call
        self._joined = False
        self._head = ""  # its address

    @property
    def can_grow(self) -> bool:
        """False for a cluster that was started here, on this machine alone."""
        return self._config.address is not None or not self._joined

    async def connect(self) -> None:
        """Raises InputError when the cluster cannot be reached, or none started."""
        if ray.is_initialized():
            if self._config.address is not None:
                logger.warning("Ray is connected already; workers.ray.address %s is not used", self._config.address)
            return
        for is_last in (self._config.address is not None, True):
            self._joined = True
            try:
                self._head = await self._call(lambda: _join(self._config, self._init), CONNECTING)
                _take_sigterm_back()
                return
            except TimeoutError as error:
                raise _unreachable(self._config, f"no answer within {CONNECTING:g} s") from error
            except InputError as error:
                if is_last:
                    raise
                # Ray gives its parts 30 s to start: little where the machine is loaded or its files come from afar.
                logger.warning("%s; trying once more", error)
                await self.leave()  # all that this trial has started ends with its thread

    async def nodes(self) -> list[Node]:
        """The living ones."""
        return await self._call(_living_nodes, CONNECTING)

    async def why_lost(self) -> str | None:
        """Why the cluster counts as lost: its head does not answer, or none of its nodes lives (the raylet has ended);
        None while neither holds. Where Ray was there before, its owner looks after it."""
        if not self._head:
            return None
        try:
            await self._call(lambda: _knock(self._head), CONNECTING)
            nodes = await self._call(_living_nodes, CONNECTING)
        except OSError as error:  # TimeoutError included
            return f"the Ray head at {self._head} does not answer ({error})"
        except Exception as error:  # Ray's own, of a head that is going
            return f"the Ray head at {self._head} does not tell of its nodes ({in_one_line(str(error))})"
        return None if nodes else f"no node of the Ray cluster at {self._head} is alive any more"

    async def leave(self, before: Callable[[], None] | None = None, seconds: float = CLOSING) -> None:
        """Do something last, and leave Ray if it was entered here, within so many seconds. Idempotent; never raises,
        never hangs."""
        joined, self._joined = self._joined, False
        if before is not None or joined:
            with suppress(Exception):
                await self._call(lambda: _leave(before, joined), seconds)
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    async def _call(self, work: Callable[[], T], seconds: float) -> T:
        """Blocking work, all in one thread that lives as long as Ray does: Linux kills the processes of a local cluster
        when the thread that started them ends (PR_SET_PDEATHSIG)."""
        if self._thread is None:
            self._thread = DaemonThread()
        return await self._thread.call(work, seconds)


def _join(config: RayConfig, init: Callable[..., object]) -> str:
    """Join the cluster at the address, or start a local one. Blocks. Returns the head's address."""
    # Slurm sends SIGTERM or its warning, and a terminal that goes sends SIGHUP, to Ray's processes too, and a driver
    # whose raylet ends is aborted. They inherit what is blocked here, and end with this thread at the latest.
    signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU}
    )
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "300")  # else the driver is ended after 60
    logging.getLogger("ray._private.worker").setLevel(logging.ERROR)  # it would warn that SIGTERM is left to us
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if config.working_dir is not None:
        common["runtime_env"] = {"working_dir": str(config.working_dir)}
    try:
        if config.address is None:
            common["job_config"] = _without_current_folder()
            init("local", include_dashboard=False, object_store_memory=OBJECT_STORE, **common)
        else:
            _knock(config.address)
            init(config.address, **common)
    except Exception as error:
        raise _unreachable(config, f"{type(error).__name__}: {in_one_line(str(error))}") from error
    return _head_of(config)


class _Nothing(list[str]):
    """Stays empty."""

    def extend(self, more: Iterable[str]) -> None:
        del more


def _without_current_folder() -> JobConfig:
    """Ray puts the driver's folder in front of a worker's path, where a user's `search.py` or `workers/` would stand
    before ours; workers on this machine have the driver's own path (PYTHONPATH) instead."""
    config = JobConfig()
    config._py_driver_sys_path = _Nothing()  # no argument of Ray's leaves it out
    return config


def _take_sigterm_back() -> None:
    """Ray puts a handler before ours that has the whole process aborted 3 s after SIGTERM, in the middle of an orderly
    end."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))


def _head_of(config: RayConfig) -> str:
    if config.address is not None and "://" in config.address:
        return config.address
    try:
        return str(ray.get_runtime_context().gcs_address)
    except Exception:  # a stand-in for Ray, or one that cannot tell
        return ""


def _knock(address: str) -> None:
    """Check that anything listens there. Raises OSError or ValueError in seconds, where Ray would try for minutes."""
    if address in ("auto", "local"):
        return
    place = urlsplit(address if "://" in address else f"//{address}")
    port = place.port or (10001 if place.scheme == "ray" else None)
    if not place.hostname or port is None:
        raise ValueError("the address is neither host:port nor ray://host:port")
    socket.create_connection((place.hostname, port), REACHING).close()


def _living_nodes() -> list[Node]:
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def _leave(before: Callable[[], None] | None, joined: bool) -> None:
    if before is not None:
        before()
    if joined:
        ray.shutdown()


def _unreachable(config: RayConfig, reason: str) -> InputError:
    if config.working_dir is not None and ("working_dir" in reason or "Package size" in reason):
        return InputError(
            f"workers.ray.working_dir cannot be sent to the workers ({reason}): correct it, or make it smaller "
            "(a file .rayignore in it lists what is left out)"
        )
    if config.address is None:
        return InputError(f"Ray cannot be started on this machine ({reason}): set workers.kind to local")
    return InputError(
        f"the Ray cluster at {config.address} cannot be reached ({reason}): check workers.ray.address, that Ray and "
        "Python have the same versions there, and that RAY_AUTH_TOKEN or ~/.ray/auth_token holds the cluster's token"
    )


def in_one_line(text: str) -> str:
    """Ray's own words, whole as long as they are not endless: what matters, such as both versions or a size, often
    comes last."""
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST // 2]} ... {words[-_LONGEST // 2 :]}"
