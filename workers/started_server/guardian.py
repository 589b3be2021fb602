"""Runs a server in a session of its own, and ends all of it when whoever started this program is gone.

A worker may be killed at any moment, and servers have children that keep the GPU when only their parent ends. So this
program stands between the two: its standard input is a pipe from the worker, which closes when the worker ends, however
it ends. It is nobody's child, since Ray kills the children of a worker that ends, and would leave the server behind.

Called by its path with a file descriptor and the server's command line; the standard library alone, whatever is
installed. The server's exit status goes to the descriptor, which closes when the server has ended.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

PATIENCE = 10.0  # seconds for the server to end by itself
_PR_SET_PDEATHSIG = 1


def main(status: int, command: list[str]) -> None:
    """Return when the server has ended."""
    if os.fork():
        os._exit(0)
    os.setsid()
    server = subprocess.Popen(  # noqa: S603 -- the user's own program
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_guardian,  # noqa: PLW1509 -- there are no threads yet
    )
    # what a batch system sends to every process of a job would leave the server's children without a guardian
    signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU}
    )
    threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
    ended = server.wait()
    _signal(server.pid, signal.SIGKILL)  # children that it has left behind
    with suppress(OSError):  # nobody wants to know any more
        os.write(status, str(ended).encode())


def _die_with_guardian() -> None:
    """Linux alone has it; elsewhere a guardian that is killed leaves its server behind."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end_with_parent(server: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 1024):
        pass
    _signal(server.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(PATIENCE)
    _signal(server.pid, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(OSError):
        os.killpg(group, number)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
