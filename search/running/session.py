"""Searches from Python: a search as events while it runs, and a run as an object."""

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from configs.loading import load_config
from configs.overrides import Overrides
from configs.plural import show_many
from configs.schema.run import RunConfig
from search.export import Format as ExportFormat
from search.export import export
from search.live.snapshot import Snapshot
from search.live.view import line
from search.report.forms import Format as ReportFormat
from search.report.forms import report
from search.results.answers_table import Answer, read_answers
from search.results.status import Status, read_status
from search.results.wording import show_estimate, show_gain, show_quantity
from search.run_directory.naming import new_directory
from search.running.launch import launch
from search.statistics.estimates import Estimate


@dataclass(frozen=True, slots=True)
class Progress:
    """How a search stood at one moment.

    Attributes:
        snapshot: all that is known of it.
    """

    snapshot: Snapshot

    @property
    def done(self) -> int:
        """Evaluations that are through."""
        return self.snapshot.done

    @property
    def planned(self) -> int:
        """Evaluations that there will be at most."""
        return self.snapshot.planned

    @property
    def best(self) -> Estimate | None:
        """Search score of the best candidate so far; None before the first."""
        return self.snapshot.best

    @property
    def gain(self) -> Estimate | None:
        """The paired difference to the base prompt; None where the base prompt leads."""
        return self.snapshot.gain

    def __str__(self) -> str:
        return line(self.snapshot)


@dataclass(frozen=True, slots=True)
class SearchRun:
    """A search in its directory: running, stopped or finished. What is asked of it is read anew each time.

    Attributes:
        path: of the run directory.
    """

    path: Path

    @property
    def status(self) -> Status:
        """How it stands. Raises InputError where there is no search."""
        return read_status(self.path)

    def answers(self) -> list[Answer]:
        """Every answer with its scores; `pandas.DataFrame` takes it."""
        return read_answers(self.path)

    def report(self, form: ReportFormat = "html") -> str:
        """The report as text: one page of HTML, or Markdown."""
        return report(self.path, form)

    def export(self, form: ExportFormat = "urial") -> str:
        """The found prompt, as `demosearch export` gives it."""
        return export(self.path, form)

    def _repr_html_(self) -> str:
        status = self.status
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in _facts(status))
        return f"<table><caption>{escape(str(self.path))}</caption>{rows}</table>"


def run(
    config: RunConfig | str | Path | Mapping[str, Any],
    path: Path | str | None = None,
    *,
    overrides: Overrides = (),
) -> Iterator[Progress | SearchRun]:
    """Run a new search: its progress while it goes on, twice a second, and at last the run itself.

    Leaving the loop stops the search as Ctrl-C does: what is being paid for is kept, and `resume` goes on. Work goes on
    while the loop's body runs; events that nobody has taken meanwhile are replaced by the latest.

    Args:
        config: a preset's name, a YAML file, a mapping of settings or a loaded config.
        path: of the run directory, which must be new; `runs/NAME-TIME` when absent.
        overrides: settings to change, as `load_config` takes them.

    Raises:
        InputError: something is wrong with config, files, model or directory; nothing has been spent.
        RunStopped: it cannot go on now; `resume` goes on.
    """
    loaded = config if isinstance(config, RunConfig) and not overrides else load_config(_source(config), overrides)
    place = Path(path) if path is not None else new_directory(config if isinstance(config, str | Path) else "search")
    feed = _Feed()
    place = place.absolute()  # whoever takes the events, or a judge function, may change the working directory
    thread = threading.Thread(target=feed.conduct, args=(lambda: launch(loaded, place, view=feed),), daemon=True)
    thread.start()
    try:
        while (progress := feed.take()) is not None:
            yield progress
    finally:
        feed.stop()
        thread.join()
    if feed.error is not None:
        raise feed.error
    yield SearchRun(place)


def _source(config: RunConfig | str | Path | Mapping[str, Any]) -> str | Path | Mapping[str, Any]:
    return config.model_dump(mode="json") if isinstance(config, RunConfig) else config


def _facts(status: Status) -> Iterator[tuple[str, str]]:
    yield "state", f"{status.state}: {status.reason}" if status.reason else status.state
    for name, standing in (("winner", status.winner), ("base prompt", status.base)):
        if standing is not None:
            yield f"{name}, search score", show_estimate(standing.search_score)
            yield f"{name}, held-out score", show_estimate(standing.held_out_score)
    if status.winner is not None and (gain := status.winner.held_out_gain) is not None:
        yield "held-out gain", f"{show_gain(gain)}, n={gain.n}"
    if status.winner is not None:
        yield "demonstrations", status.in_words(status.winner)
    spend = status.spend
    dollars = "unknown price" if spend.dollars is None else show_quantity("dollars", spend.dollars)
    yield "paid for", f"{show_many(spend.generated, 'answer')}, {show_many(spend.judged, 'verdict')}, {dollars}"


class _Feed:
    """Takes snapshots of a search in another thread, and can stop it.

    Attributes:
        error: how the search ended, where it did not come to its end by itself.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._latest: queue.Queue[Progress | None] = queue.Queue(1)
        self._cancel: Callable[[], object] | None = None
        self._is_stopped = False

    def conduct(self, work: Callable[[], object]) -> None:
        """Do the work in this thread."""
        try:
            work()
        except BaseException as error:  # it is raised in the thread that takes the events
            self.error = error
        finally:
            self._put(None)

    def take(self) -> Progress | None:
        """The next event, when there is one; None at the end."""
        return self._latest.get()

    def stop(self) -> None:
        """Have the search stop cleanly, also where it has not begun yet; nothing where it has ended."""
        self._is_stopped = True
        cancel = self._cancel
        if cancel is not None:
            with suppress(RuntimeError):  # its loop has ended meanwhile
                cancel()

    def __enter__(self) -> Self:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._cancel = partial(loop.call_soon_threadsafe, task.cancel)
        if self._is_stopped:
            self._cancel()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cancel = None

    def show(self, snapshot: Snapshot) -> None:
        self._put(Progress(snapshot))

    def _put(self, event: Progress | None) -> None:
        while True:
            try:
                self._latest.put_nowait(event)
                return
            except queue.Full:
                try:
                    self._latest.get_nowait()
                except queue.Empty:
                    continue
