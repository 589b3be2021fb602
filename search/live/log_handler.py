"""What is logged, beside the progress: in columns on a terminal, a plain line a message in a file or a pipe."""

import logging

from rich.logging import RichHandler

from search.live.safe_console import SafeConsole


class _Lines(logging.Handler):
    """Rich fills its columns with spaces up to the width, which is without end where nothing must be cut."""

    def __init__(self, console: SafeConsole) -> None:
        super().__init__()
        self._console = console
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._console.print(self.format(record), highlight=False, markup=False, soft_wrap=True)
        except Exception:
            self.handleError(record)


def log_handler(console: SafeConsole) -> logging.Handler:
    """What writes log records to this console."""
    return RichHandler(console=console, show_path=False) if console.is_terminal else _Lines(console)
