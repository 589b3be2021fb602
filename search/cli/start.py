"""The beginning of the command: Ctrl-C ends it in one way, also while modules are loaded."""

import gc
import os
import signal
from types import FrameType

from configs.errors import INTERRUPTED

_NEW_OBJECTS = 50_000
"""Python looks for garbage each 700: while modules load, which stay, that is a fifteenth of what `status` takes. So it
stays afterwards."""


def main() -> None:
    """The command `demosearch`. A second Ctrl-C ends the process at once, unless a run hears it (`in_own_loop`)."""
    gc.set_threshold(_NEW_OBJECTS)
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 -- signal's interface
        heard.append(number)
        if len(heard) > 1:
            os._exit(INTERRUPTED)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, hear)  # also where a shell script has started this in the background, which ignores it
    try:
        from search.cli.app import main as command  # noqa: PLC0415 -- a second, in which Ctrl-C may come

        command()
    except SystemExit:
        raise
    except BaseException:  # a library that is interrupted while it loads may raise anything
        if heard:
            os._exit(INTERRUPTED)
        raise
