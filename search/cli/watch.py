"""Watch a run from another process, which is not disturbed."""

import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.text import Text

from search.cli.evaluation_table import evaluation_view
from search.cli.status_table import status_view
from search.live.live_file import LIVE, read_live
from search.live.progress import make_view
from search.live.snapshot import Snapshot
from search.live.view import Drawing
from search.results.evaluation_status import read_evaluation
from search.results.status import read_status
from search.results.wording import show_span
from search.run_directory.run import is_evaluation
from search.run_directory.state import read_state

_PAUSE = 1.0  # seconds between two looks
_LOADING = "Starting: loading the model, or checking files."
_SIGNS = (LIVE, "journal.jsonl", "results.json", "ledger.sqlite-wal", "ledger.sqlite", "state.json", "config.json")
"""Files of a run that a coordinator at work touches again and again; the last one is there from its first moment."""


def watch(path: Path, console: Console, once: bool = False, pause: float = _PAUSE) -> None:
    """Show how the run at `path` stands until it ends, or until Ctrl-C; at last, or if it has ended, its status.

    Args:
        once: show one frame and end.
        pause: seconds between two looks.

    Raises:
        InputError: there is no run.
    """
    is_evaluation(path)
    with suppress(KeyboardInterrupt):
        if not once:
            _follow(path, console, pause)
        console.print(_frame(path))


def _follow(path: Path, console: Console, pause: float) -> None:
    """Show the run until nobody works on it any more."""
    is_announced = False
    with make_view(console) as view:
        while _is_running(path):
            now = read_live(path)
            if now is not None:
                view.show(now)
            elif not is_announced:
                is_announced = True
                console.print(_LOADING)
            time.sleep(pause)


def _frame(path: Path) -> RenderableType:
    if not _is_running(path):
        return _ended(path)
    now: Snapshot | None = read_live(path)
    return Text(_LOADING) if now is None else Drawing(now)


def _is_running(path: Path) -> bool:
    return read_state(path)[0] == "running"


def _ended(path: Path) -> RenderableType:
    evaluated = is_evaluation(path)
    view = evaluation_view(read_evaluation(path), path) if evaluated else status_view(read_status(path), path)
    if read_state(path)[0] != "crashed":
        return view
    continuation = (
        f"the same `demosearch evaluate` with `--run-dir {path}`" if evaluated else f"`demosearch resume {path}`"
    )
    seen = show_span(max(0.0, time.time() - _last_seen(path)))
    gone = f"No process is working on this run (last sign {seen} ago); continue with {continuation}."
    return Group(view, Text(gone, style="yellow"))


def _last_seen(path: Path) -> float:
    """The time of a coordinator's last sign in this directory, in seconds since 1970."""
    return max((path / name).stat().st_mtime for name in _SIGNS if (path / name).exists())
