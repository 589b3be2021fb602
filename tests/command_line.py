"""Commands of demosearch, each in a process of its own that is forked from one which has imported everything.

To start Python and import torch, transformers and scikit-learn costs 4 to 8 s of processor time a command; a fork costs
0.3 s. All else is as in a shell: arguments, environment, working directory, outputs, exit code, signals. How a command
is started, and what it imports, is tested elsewhere (`test_walls.py`, `test_wheel.py`, `test_demosearch.py`).
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

ENVIRONMENT = {"COLUMNS": "200", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": f"{os.devnull}/none"}
"""Of every command: no hub, and no cache of it. Libraries read these when they are imported, so none can be changed."""
_ROOT = Path(__file__).parents[1]
_LONGEST = 1 << 16  # bytes of an order


class Command:
    """A command under way, with the methods of `subprocess.Popen`.

    Args:
        output, errors: open files that it writes to.
        is_held: it stops itself before its first step, until it is sent SIGCONT.
    """

    def __init__(
        self, words: tuple[str, ...], environment: dict[str, str], output: int, errors: int, *, is_held: bool = False
    ) -> None:
        order = {"words": words, "environment": environment, "folder": str(Path.cwd()), "is_held": is_held}
        reading, writing = os.pipe()
        socket.send_fds(_server()[0], [json.dumps(order).encode()], [writing, output, errors])
        os.close(writing)
        self._answers = os.fdopen(reading)
        self.pid = int(self._answers.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for the signal that ended it; None while it runs."""
        return None if Path(f"/proc/{self.pid}").exists() else self.wait()

    def wait(self) -> int:
        if self.returncode is None:
            with self._answers:
                self.returncode = int(self._answers.readline())
        return self.returncode

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def start(*words: str, **environment: str) -> Command:
    """Start `demosearch WORDS`; nobody reads what it says."""
    with Path(os.devnull).open("w") as nobody:
        return Command(words, environment, nobody.fileno(), nobody.fileno())


def demosearch(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `demosearch WORDS` to its end."""
    with TemporaryFile("w+") as output, TemporaryFile("w+") as errors:
        code = Command(words, environment, output.fileno(), errors.fileno()).wait()
        return subprocess.CompletedProcess(words, code, _read(output), _read(errors))


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@cache
def _server() -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
    """Where to send orders, and who takes them until this process has ended."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    without_key = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
    environment = without_key | ENVIRONMENT | {"PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-m", "tests.command_line", str(theirs.fileno())]
    with theirs:
        return ours, subprocess.Popen(command, env=environment, cwd=_ROOT, pass_fds=[theirs.fileno()])


def _serve(orders: socket.socket) -> None:
    """Fork a process for each order, which forks the command, waits for it, and says its number and its exit code."""
    import sklearn.feature_extraction.text  # noqa: F401, PLC0415 -- what commands import, but for Ray

    import demosearch  # noqa: F401, PLC0415
    import search.cli.app  # noqa: F401, PLC0415
    import workers.engines.transformers_engine  # noqa: F401, PLC0415
    from search.cli.start import main  # noqa: PLC0415

    threads = [file.read_text().strip() for file in Path("/proc/self/task").glob("*/comm")]
    threads = [name for name in threads if name != "jemalloc_bg_thd"]  # pyarrow's allocator prepares itself for forks
    assert len(threads) == 1, f"a lock that another thread holds stays locked in a fork: {threads}"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()  # a collection in a fork would write to, and so copy, all that was imported
    while (order := socket.recv_fds(orders, _LONGEST, 3))[0]:
        text, files, *_ = order
        if os.fork() == 0:
            orders.close()
            _fork_command(*files)
            _take(json.loads(text))
            main()  # and exit
        for file in files:
            os.close(file)


def _fork_command(answers: int, output: int, errors: int) -> None:
    """Return in the process that becomes the command."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if (command := os.fork()) != 0:
        os.write(answers, f"{command}\n".encode())
        os.write(answers, f"{os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])}\n".encode())
        os._exit(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    for file in (answers, output, errors):
        os.close(file)


def _take(order: dict[str, Any]) -> None:
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.argv = ["demosearch", *order["words"]]
    if order["is_held"]:
        os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
