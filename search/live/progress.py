"""What a person sees while work is under way: a drawing in a terminal, a display in a notebook, lines elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console
from rich.live import Live

from search.live.console import ProgressConsole
from search.live.live_file import LiveFile
from search.live.snapshot import Observer, Position, Snapshot, Watched
from search.live.view import Drawing, line
from search.statistics.intervals import Bounds

_SECONDS_A_LINE = 60.0
_SECONDS_A_DISPLAY = 1.0
_REFRESH = 0.5  # seconds between two looks
_NOTEBOOK_WIDTH = 110  # columns
_PAGE = "<pre style=\"line-height:normal;font-family:Menlo,'DejaVu Sans Mono',consolas,monospace\">{code}</pre>"


class View(Protocol):
    """Shows snapshots."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def show(self, snapshot: Snapshot) -> None: ...


def make_view(console: Console) -> View:
    """What suits the console."""
    if console.is_jupyter:
        return NotebookView()
    if console.is_terminal:
        return LiveView(console)
    return LineView(partial(console.print, soft_wrap=True, highlight=False, markup=False))


def make_views(console: Console | None, folder: Path, view: View | None = None) -> View:
    """What suits the console, this process's own when absent, or `view` in its place; and a file in the run directory,
    for those who watch from elsewhere."""
    return Views((view or make_view(console or ProgressConsole()), LiveFile(folder)))


@asynccontextmanager
async def watching(
    watched: Watched,
    position: Callable[[], Position],
    view: View,
    confidence: float,
    clock: Callable[[], float],
    bounds: Bounds | None = None,
) -> AsyncIterator[None]:
    """Have the view show how things stand while this is open, and at the end once more.

    Args:
        position: tells where the work stands.
        clock: seconds since this process began to work on the run.
    """
    observer = Observer(watched, position, confidence, bounds)

    def look() -> None:
        view.show(observer.look(clock()))

    async def look_often() -> None:
        while True:
            look()
            await asyncio.sleep(_REFRESH)

    with view:
        looking = asyncio.create_task(look_often())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            look()


class Views:
    """Several at once; one that cannot be written to any more, since the terminal is gone or the disk is full, neither
    stops the others nor the work, nor hides how that ended."""

    def __init__(self, views: Sequence[View]) -> None:
        self._views = views
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for view in self._views:
            self._open.enter_context(view)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._open.__exit__(kind, error, trace)

    def show(self, snapshot: Snapshot) -> None:
        for view in self._views:
            with suppress(OSError):
                view.show(snapshot)


class LiveView:
    """Redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> Self:
        # Anew: one that is started again erases what it drew before, and what was printed since.
        self._live = Live(console=self._console, refresh_per_second=2, transient=False)
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, snapshot: Snapshot) -> None:
        self._live.update(Drawing(snapshot))


class NotebookView:
    """A cell's output that is replaced in place, with nothing but IPython; at most once a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = 0.0
        self._last: Snapshot | None = None
        self._output: Any = None  # IPython's handle of what is displayed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last is not None:
            self._display(self._last)

    def show(self, snapshot: Snapshot) -> None:
        self._last = snapshot
        if self._clock() >= self._next:
            self._next = self._clock() + _SECONDS_A_DISPLAY
            self._display(snapshot)

    def _display(self, snapshot: Snapshot) -> None:
        from IPython.display import display  # noqa: PLC0415 -- there in a notebook only

        paper = Console(file=StringIO(), record=True, width=_NOTEBOOK_WIDTH, force_jupyter=False)
        paper.print(Drawing(snapshot))
        page = paper.export_html(inline_styles=True, code_format=_PAGE, clear=False)
        content = {"text/html": page, "text/plain": paper.export_text()}
        if self._output is None:
            self._output = display(content, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._output.update(content, raw=True)


class LineView:
    """A line a minute, and one where the phase changes."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._phase = ""
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, snapshot: Snapshot) -> None:
        now = self._clock()
        if snapshot.phase == self._phase and now < self._next:
            return
        self._phase, self._next = snapshot.phase, now + _SECONDS_A_LINE
        self._write(line(snapshot))
