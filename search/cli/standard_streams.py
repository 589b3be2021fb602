"""Standard input, output and error as commands have them: none is missing, and whoever reads may go.

What a closed, full or abandoned one takes no more vanishes. Only of standard output is it said, and only where somebody
may still want it: where its reader has gone, he has seen enough.
"""

import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import Any, TextIO

from configs.errors import RunStopped
from search.live.console import close_for_good

_OUTPUT, _ERROR = 1, 2


def take_standard_streams() -> None:
    """Have this process write to its standard output and error in this way."""
    for descriptor in (0, _OUTPUT, _ERROR):
        try:
            os.fstat(descriptor)
        except OSError:  # closed: the next file that is opened would stand there, and be written to by libraries
            lowest_free = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(lowest_free, True)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 -- as long as the process
    sys.stdout, sys.stderr = _stream(sys.stdout, _OUTPUT), _stream(sys.stderr, _ERROR)


def _stream(before: TextIO | None, descriptor: int) -> TextIO:
    """A stream in the place of this one; a character that its encoding lacks is spelled out."""
    return _StaysOpen(
        BufferedWriter(_Lasting(descriptor, "w", closefd=False)),
        encoding=before.encoding if before else "utf-8",
        errors="backslashreplace",
        line_buffering=descriptor == _ERROR or os.isatty(descriptor),
    )


class _StaysOpen(TextIOWrapper):
    """A stream that stays open whoever closes it, such as a judge's function that takes standard output for its own."""

    def close(self) -> None:
        self.flush()


class _Lasting(FileIO):
    """Takes everything, for as long as the process lasts."""

    def write(self, data: Any, /) -> int:
        """Raises RunStopped, once, where standard output has lost what may be wanted."""
        try:
            return super().write(data)
        except BrokenPipeError:
            close_for_good(self.fileno())
        except OSError as error:
            close_for_good(self.fileno())
            if self.fileno() == _OUTPUT:
                raise RunStopped(f"standard output cannot be written ({error.strerror}): send it elsewhere") from None
        return len(data)
