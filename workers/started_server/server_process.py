"""The process of a server: started, waited for, started again when it dies, ended with its worker."""

import logging
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.model import StartedServerConfig
from workers.started_server import guardian
from workers.started_server.command_line import command_line

MOST_DEATHS = 5  # after so many the server counts as broken; fewer are restarted
_PORTS = 3  # tried one after the other, where another program is faster
_LOOK = 0.2  # seconds between two looks at a server that is loading
_ANSWER = 5.0  # seconds for its answer to such a look
_PYTHON_VARIABLES = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
)  # ours; another environment's Python would trip over them

logger = logging.getLogger(__name__)


class ServerBroken(Exception):
    """The server has died too often."""


class _Ended(InputError):
    """A server has ended while it loaded, or has not begun."""


class ServerProcess:
    """One server on this machine, on a port of its own. Use `start`, then `close`.

    Args:
        config: as validated.
        environment: of the worker; says which GPUs are the server's.
    """

    def __init__(self, config: StartedServerConfig, environment: Mapping[str, str] = os.environ) -> None:
        self._config = config
        given = "" if config.device == "cpu" else environment.get("CUDA_VISIBLE_DEVICES", "")
        self.gpus = [gpu for gpu in given.split(",") if gpu.strip()]
        self._settle(_free_port())
        self._environment = {name: value for name, value in environment.items() if name not in _PYTHON_VARIABLES}
        if config.device == "cpu":
            self._environment["CUDA_VISIBLE_DEVICES"] = ""
        self._seconds = config.start_timeout
        self._folder = tempfile.TemporaryDirectory(prefix="demosearch-server-", ignore_cleanup_errors=True)
        self._log = Path(self._folder.name) / "log"
        self._guardian: _Guardian | None = None
        self._is_well = threading.Event()
        self._closing = False
        self._broken = ""
        self.deaths = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Start it, and wait until it answers; from then on it is started again whenever it ends.

        Raises:
            InputError: it ends while it loads, or takes longer than `model.start_timeout`.
        """
        try:
            self._launch_on_a_free_port()
        except BaseException:
            self.close()
            raise
        threading.Thread(target=self._watch, name="demosearch server", daemon=True).start()

    def wait_until_well(self) -> None:
        """Return when the server answers. Raises ServerBroken where it never will again."""
        while not self._is_well.wait(_LOOK):
            if self._broken or self._closing:
                raise ServerBroken(self._broken or "the server was ended")

    def has_died_since(self, deaths: int) -> bool:
        """Whether it has died more often than so many times. A death may be heard of later than a lost connection is,
        so a server that does not answer now is waited for a while."""
        deadline = time.monotonic() + _ANSWER
        while self.deaths == deaths and time.monotonic() < deadline and not self._answers():
            time.sleep(_LOOK)
        return self.deaths != deaths

    def close(self) -> None:
        """End it; what it leaves behind goes too. Idempotent, never raises, does not wait."""
        self._closing = True
        if self._guardian is not None:
            self._guardian.dismiss()
        self._folder.cleanup()

    def _settle(self, port: int) -> None:
        self.port = port
        self._command = command_line(self._config, port, len(self.gpus))

    def _launch_on_a_free_port(self) -> None:
        """Nobody keeps a port free between its choice and the moment when the server listens there."""
        for _ in range(_PORTS - 1):
            try:
                self._launch()
            except _Ended:
                if not _is_taken(self.port):
                    raise
                self._settle(_free_port())
            else:
                return
        self._launch()

    def _launch(self) -> None:
        if self._guardian is not None:
            self._guardian.dismiss()
        deadline = time.monotonic() + _ANSWER  # for what the last one has left behind
        while _is_taken(self.port):
            if time.monotonic() > deadline or not self.deaths:
                raise _Ended(f"another program listens on port {self.port}, which the server needs; begin again")
            time.sleep(_LOOK)
        self._guardian = _Guardian(self._command, self._log, self._environment)
        state = self._loaded(self._guardian)
        program = f"the server ({' '.join(self._command[:3])} ...)"
        if state == "slow":
            self._guardian.dismiss()
            limit = f"model.start_timeout ({self._seconds:g} s)"
            raise InputError(f"{program} took longer than {limit}; {_last_words(self._log)}")
        if state != "well":
            raise _Ended(f"{program} ended while it loaded the model ({state}); {_last_words(self._log)}")
        self._is_well.set()

    def _loaded(self, guarded: "_Guardian") -> str:
        """`well`, `slow`, or how it has ended."""
        deadline = time.monotonic() + self._seconds
        while time.monotonic() < deadline:
            if (status := guarded.wait(0)) is not None:
                return status
            if self._answers():
                return "well"
            time.sleep(_LOOK)
        return "slow"

    def _answers(self) -> bool:
        try:
            build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{self.port}/health", timeout=_ANSWER).close()
        except (URLError, OSError, HTTPException):
            return False
        return True

    def _watch(self) -> None:
        while not self._closing and self._guardian is not None:
            status = self._guardian.wait(None)
            self._is_well.clear()
            self.deaths += 1
            if self._closing:
                return
            if self.deaths > MOST_DEATHS:
                self._broken = f"the server has ended {show_many(self.deaths, 'time')}; {_last_words(self._log)}"
                return
            logger.warning("the server at %s ended (%s) and is started again", self.base_url, status)
            try:
                self._launch()
            except _Ended as error:
                logger.warning("%s", error)  # which counts as a death
            except InputError as error:
                self._broken = str(error)
                return


class _Guardian:
    """A server's guardian (see `guardian`), and the two pipes to it."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        ended, status = os.pipe()
        self._ended = open(ended, "rb", buffering=0)  # noqa: SIM115, PTH123 -- closed when it is let go of
        self._lifeline, self._alive = os.pipe()
        self._status: str | None = None
        try:
            with log.open("ab") as output:
                subprocess.run(  # noqa: S603 -- the user's own program
                    [sys.executable, "-S", guardian.__file__, str(status), *command],
                    stdin=self._lifeline,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**environment},
                    pass_fds=[status],
                    check=True,
                )
        finally:
            os.close(status)
            os.close(self._lifeline)

    def wait(self, seconds: float | None) -> str | None:
        """The server's exit status in words once it has ended; None where it runs after so many seconds."""
        if self._status is None and select.select([self._ended], [], [], seconds)[0]:
            status = (self._ended.read(16) or b"").decode()
            self._status = f"exit status {status}" if status else "its guardian was killed"
        return self._status

    def dismiss(self) -> None:
        """Have the server ended, where it still runs. Idempotent."""
        alive, self._alive = self._alive, -1
        if alive >= 0:
            os.close(alive)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _is_taken(port: int) -> bool:
    """Whether a program listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _last_words(log: Path, lines: int = 12) -> str:
    """The end of what a server has said, for a message."""
    try:
        log_lines: Sequence[str] = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        log_lines = ()
    last = "\n".join(line[:300] for line in log_lines[-lines:] if line.strip())
    return f"it said last:\n{last}" if last else "it said nothing"
