"""Work under way, drawn for a terminal of any width, or said in a line."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from configs.plural import show_many
from search.live.eta import show_eta
from search.live.snapshot import Snapshot
from search.live.wording import (
    share_done,
    show_against,
    show_best,
    show_done,
    show_failed,
    show_generation,
    show_judging,
    show_phase,
    show_spent,
)
from search.live.workers_view import draw_workers, show_workers
from search.results.wording import show_share, show_span, show_time

_BAR = 80  # columns at most
_OLD = 10.0  # seconds after which a snapshot is no news
_MUCH = 0.9  # of a limit


@dataclass(frozen=True, slots=True)
class Drawing:
    """A snapshot as rich draws it."""

    snapshot: Snapshot

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console
        snapshot, width = self.snapshot, options.max_width
        facts = Table.grid(padding=(0, 2))
        facts.add_column(style="dim", no_wrap=True)
        facts.add_column(overflow="fold")
        for name, value in _facts(snapshot):
            facts.add_row(name, value)
        yield Text(_title(snapshot), style="bold")
        bar = Table.grid()
        bar.add_row(ProgressBar(total=max(1, snapshot.planned), completed=snapshot.done, width=min(width, _BAR)))
        yield bar
        yield Text(f"{show_done(snapshot)}, {show_share(share_done(snapshot))}; {show_eta(snapshot.eta)}")
        yield facts
        yield from draw_workers(snapshot.activity, width)
        if (age := time.time() - snapshot.moment) > _OLD:
            yield Text(f"Last seen {show_span(age)} ago: the coordinator does not answer.", style="yellow")


def line(snapshot: Snapshot) -> str:
    """A snapshot in one line."""
    activity = snapshot.activity
    parts = [
        show_phase(snapshot),
        f"{show_done(snapshot)} ({show_share(share_done(snapshot))})",
        show_eta(snapshot.eta),
        *([f"best {show_best(snapshot)}"] if snapshot.is_search else []),
        f"{activity.busy:,} of {show_many(activity.alive, 'worker')} busy, {snapshot.work.tokens_per_second:,.0f} "
        "tokens/s",
        *show_judging(snapshot),
        *(show_against(snapshot, name) for name in snapshot.limits),
        *([f"FAILED {show_failed(snapshot.work.causes)}"] if snapshot.work.causes else []),
    ]
    return " | ".join(parts)


def _title(snapshot: Snapshot) -> str:
    scored = ""
    if snapshot.is_search:
        scored = f", {show_many(snapshot.candidates, 'candidate')} scored in {show_many(snapshot.trials, 'trial')}"
    return f"{show_phase(snapshot)}{scored}, {show_time(snapshot.seconds)} elapsed"


def _facts(snapshot: Snapshot) -> Iterator[tuple[str, RenderableType]]:
    work, activity = snapshot.work, snapshot.activity
    if snapshot.is_search:
        yield "best so far", Text(show_best(snapshot), style="bold green")
    yield "generation", show_generation(snapshot)
    yield "judging", "; ".join(show_judging(snapshot)) or "idle"
    yield (
        "ledger",
        f"{work.reused:,} reused from the cache, {work.generated:,} generated, {show_many(work.judged, 'verdict')}",
    )
    yield "spent", ", ".join(show_spent(snapshot))
    for number, name in enumerate(snapshot.limits):
        limit = Text(show_against(snapshot, name), style=_alarm(snapshot, name))
        yield "" if number else "budget", limit
    if work.causes:
        yield "failed", Text(show_failed(work.causes), style="bold red")
    if activity.alive or activity.workers:
        yield "workers", show_workers(activity)


def _alarm(snapshot: Snapshot, name: str) -> str:
    spent = snapshot.spent[name]
    return "yellow" if spent is None or spent >= _MUCH * snapshot.limits[name] else ""
