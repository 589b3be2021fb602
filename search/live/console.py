"""The console that progress is written to: whoever reads it may go, and the work goes on."""

import os
import sys
from contextlib import suppress
from typing import Any

from search.live.safe_console import SafeConsole


class ProgressConsole(SafeConsole):
    """Standard error, as long as it takes anything; neither a closed pipe nor a full disk behind it ends the work."""

    def __init__(self) -> None:
        super().__init__(stderr=True)

    def print(self, *objects: Any, **style: Any) -> None:
        """Print as `Console.print` does, or not at all."""
        with suppress(OSError):
            super().print(*objects, **style)

    def on_broken_pipe(self) -> None:
        """Write to nobody from now on, whatever else of this process writes to standard error included."""
        self.quiet = True
        close_for_good(sys.stderr.fileno())


def close_for_good(descriptor: int) -> None:
    """Have everything that is written to this descriptor vanish, so that nothing fails any more for want of a
    reader."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
