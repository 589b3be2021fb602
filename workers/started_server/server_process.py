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
from pathlib import Path
from typing import Literal
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from configs.errors import InputError
from configs.schema.model import StartedServerConfig
from workers.started_server import guardian
from workers.started_server.command_line import command_line

MOST_DEATHS = 5  # after so many the server counts as broken; fewer are restarted
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


class ServerProcess:
    """One server on this machine, on a port of its own. Use `start`, then `close`.

    Args:
        config: as validated.
        environment: of the worker; says which GPUs are the server's.
    """

    def __init__(self, config: StartedServerConfig, environment: Mapping[str, str] = os.environ) -> None:
        self.port = _free_port()
        given = "" if config.device == "cpu" else environment.get("CUDA_VISIBLE_DEVICES", "")
        self.gpus = [gpu for gpu in given.split(",") if gpu.strip()]
        self._command = command_line(config, self.port, len(self.gpus))
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
            self._launch()
        except InputError:
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

    def _launch(self) -> None:
        if self._guardian is not None:
            self._guardian.dismiss()
        self._guardian = _Guardian(self._command, self._log, self._environment)
        state = self._loaded(self._guardian)
        if state != "well":
            trouble = "took longer than model.start_timeout" if state == "slow" else "ended while it loaded the model"
            raise InputError(f"the server ({' '.join(self._command[:3])} ...) {trouble}; {_last_words(self._log)}")
        self._is_well.set()

    def _loaded(self, guarded: "_Guardian") -> Literal["well", "dead", "slow"]:
        deadline = time.monotonic() + self._seconds
        while time.monotonic() < deadline:
            if guarded.wait(0) is not None:
                return "dead"
            if self._answers():
                return "well"
            time.sleep(_LOOK)
        return "slow"

    def _answers(self) -> bool:
        try:
            build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{self.port}/health", timeout=_ANSWER).close()
        except (URLError, OSError):
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
                self._broken = f"the server has ended {self.deaths} times; {_last_words(self._log)}"
                return
            logger.warning("the server at %s ended (%s) and is started again", self.base_url, status)
            try:
                self._launch()
            except InputError as error:
                self._broken = str(error)
                return


class _Guardian:
    """A server's guardian (see `guardian`), and the two pipes to it."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        ended, status = os.pipe()
        self._ended = open(ended, "rb", buffering=0)  # noqa: SIM115, PTH123 -- closed when it is let go of
        self._lifeline, self._alive = os.pipe()
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
        ready, _, _ = select.select([self._ended], [], [], seconds)
        if not ready:
            return None
        status = (self._ended.read(16) or b"").decode()
        return f"exit status {status}" if status else "its guardian was killed"

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


def _last_words(log: Path, lines: int = 12) -> str:
    """The end of what a server has said, for a message."""
    try:
        log_lines: Sequence[str] = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        log_lines = ()
    last = "\n".join(line[:300] for line in log_lines[-lines:] if line.strip())
    return f"it said last:\n{last}" if last else "it said nothing"
