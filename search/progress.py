"""What a person sees while a search runs: a live view in a terminal, plain lines elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evaluators.counts import Counts
from search.coordinator import Position
from search.statistics import Estimate, estimate
from workers.activity import WorkersActivity

if TYPE_CHECKING:
    from workers.service.line import ServiceActivity

_PHASES = {
    "search": "searching",
    "held_out": "judging the winner on held-out questions",
    "retry": "trying failed items again",
    "evaluate": "evaluating",
}
_SECONDS_A_LINE = 10.0
_REFRESH = 0.25  # seconds between two looks


class Watched(Protocol):
    """What can be looked at while it runs."""

    def position(self) -> Position: ...
    def counts(self) -> Counts: ...
    def activity(self) -> WorkersActivity: ...
    def services(self) -> "Sequence[ServiceActivity]": ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at a running search.

    Attributes:
        seconds: since this process began to search.
        eta: seconds left at the speed so far, an upper bound since `position.planned` is one; None before the first
            evaluation of this process.
        best: the leader's guiding score with its interval.
        services: of the judges.
    """

    position: Position
    counts: Counts
    activity: WorkersActivity
    seconds: float
    eta: float | None
    best: Estimate | None
    services: "Sequence[ServiceActivity]" = ()


def take_snapshot(watched: Watched, seconds: float, confidence: float) -> Snapshot:
    """Look once."""
    position, counts = watched.position(), watched.counts()
    fresh = position.evaluated - position.replayed
    eta = seconds / fresh * (position.planned - position.evaluated) if fresh > 0 else None
    best = estimate([*position.best_scores.values()], confidence)
    return Snapshot(position, counts, watched.activity(), seconds, eta, best, tuple(watched.services()))


class View(Protocol):
    """Shows snapshots."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def show(self, snapshot: Snapshot) -> None: ...


def make_view(console: Console) -> View:
    """A live view where the console is a terminal, else plain lines."""
    return (
        LiveView(console) if console.is_terminal else LineView(partial(console.print, soft_wrap=True, highlight=False))
    )


@asynccontextmanager
async def watching(watched: Watched, view: View, confidence: float) -> AsyncIterator[None]:
    """While this is open, the view shows how things stand, and at the end once more."""
    began = time.monotonic()

    def look() -> None:
        view.show(take_snapshot(watched, time.monotonic() - began, confidence))

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


class LiveView:
    """Redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=4, transient=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, snapshot: Snapshot) -> None:
        self._live.update(_drawing(snapshot))


class LineView:
    """A line every ten seconds, and one where the phase changes."""

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
        if snapshot.position.phase == self._phase and now < self._next:
            return
        self._phase, self._next = snapshot.position.phase, now + _SECONDS_A_LINE
        self._write(line(snapshot))


def line(snapshot: Snapshot) -> str:
    """A snapshot in one line."""
    parts = [
        _PHASES[snapshot.position.phase],
        f"{snapshot.position.evaluated:,} of {snapshot.position.planned:,} evaluations",
        *([f"best {show_estimate(snapshot.best)}"] if _is_search(snapshot) else []),
        _work(snapshot),
        *(f"judge: {_service(service)}" for service in snapshot.services),
        f"ETA {_duration(snapshot.eta)}",
    ]
    return " | ".join(parts)


def _drawing(snapshot: Snapshot) -> RenderableType:
    position = snapshot.position
    rows = Table.grid(padding=(0, 2))
    if _is_search(snapshot):
        rows.add_row("best so far", Text(show_estimate(snapshot.best), style="bold green"))
    rows.add_row("evaluations", f"{position.evaluated:,} done, {position.planned - position.evaluated:,} left at most")
    rows.add_row("this process", _work(snapshot))
    rows.add_row("workers", _workers(snapshot.activity))
    for service in snapshot.services:
        rows.add_row("judge", _service(service))
    rows.add_row("time", f"{_duration(snapshot.seconds)} gone, ETA {_duration(snapshot.eta)}")
    bar = ProgressBar(total=max(1, position.planned), completed=position.evaluated, width=60)
    done = f", {position.trials:,} candidates scored" if _is_search(snapshot) else ""
    title = Text(_PHASES[position.phase] + done, style="bold")
    return Group(title, bar, rows)


def _is_search(snapshot: Snapshot) -> bool:
    return snapshot.position.phase in ("search", "held_out")


def _work(snapshot: Snapshot) -> str:
    counts = snapshot.counts
    speed = counts.new_tokens / snapshot.seconds if snapshot.seconds > 0 else 0.0
    text = f"{counts.generated:,} generated, {counts.judged:,} judged, {counts.known:,} from the ledger"
    text += f", {counts.waiting:,} answers wait for the judge" if counts.waiting else ""
    return text + (f", {counts.failed:,} FAILED" if counts.failed else "") + f", {speed:,.0f} tokens/s"


def _workers(activity: WorkersActivity) -> str:
    text = f"{activity.busy} of {activity.alive} busy, {activity.queued} blocks waiting"
    return text + (f", {activity.restarts} restarts" if activity.restarts else "")


def _service(service: "ServiceActivity") -> str:
    text = f"{service.in_flight} of {service.limit} in flight"
    text += f", {service.slow_downs} times told to slow down" if service.slow_downs else ""
    text += f", {service.retries} tries repeated" if service.retries else ""
    return text + (f", pausing for {service.paused:.0f} s" if service.paused else "")


def show_estimate(value: Estimate | None, with_n: bool = True) -> str:
    """A mean with its interval, for people."""
    if value is None:
        return "not yet scored"
    failed = f", {value.failed} failed" if value.failed else ""
    n = f", n={value.n}" if with_n else ""
    return f"{value.mean:.2f} [{value.low:.2f}, {value.high:.2f}]{n}{failed}"


def _duration(seconds: float | None) -> str:
    return "unknown" if seconds is None else str(timedelta(seconds=round(seconds)))
