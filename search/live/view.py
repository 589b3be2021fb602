"""Work under way, drawn for a terminal of any width, or said in a line."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evaluators.budget import QUANTITIES
from search.live.eta import show_eta
from search.live.snapshot import Snapshot
from search.live.workers_view import draw_workers, show_workers
from search.results.wording import show_estimate, show_gain, show_many, show_quantity, show_share, show_span, show_time
from workers.service.activity import ServiceActivity

PHASES = {
    "search": "searching",
    "held_out": "judging the winner on held-out questions",
    "retry": "trying failed items again",
    "evaluate": "evaluating",
}
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
        yield Text(f"{_done(snapshot)}, {show_share(_share(snapshot))}; {show_eta(snapshot.eta)}")
        yield facts
        yield from draw_workers(snapshot.activity, width)
        if (age := time.time() - snapshot.moment) > _OLD:
            yield Text(f"Last seen {show_span(age)} ago: the coordinator does not answer at present.", style="yellow")


def line(snapshot: Snapshot) -> str:
    """A snapshot in one line."""
    activity = snapshot.activity
    parts = [
        _phase(snapshot),
        f"{_done(snapshot)} ({show_share(_share(snapshot))})",
        show_eta(snapshot.eta),
        *([f"best {_best(snapshot)}"] if snapshot.is_search else []),
        f"{activity.busy} of {activity.alive} workers busy, {snapshot.work.tokens_per_second:,.0f} tokens/s",
        *_judging(snapshot),
        *(f"{QUANTITIES[name]} {_against(snapshot, name)}" for name in snapshot.limits),
        *([f"FAILED {_failed(snapshot.work.causes)}"] if snapshot.work.causes else []),
    ]
    return " | ".join(parts)


def _title(snapshot: Snapshot) -> str:
    scored = ""
    if snapshot.is_search:
        scored = f", {show_many(snapshot.candidates, 'candidate')} scored in {show_many(snapshot.trials, 'trial')}"
    return f"{_phase(snapshot)}{scored}, {show_time(snapshot.seconds)} elapsed"


def _phase(snapshot: Snapshot) -> str:
    return PHASES[snapshot.phase] + (f" ({snapshot.stage})" if snapshot.stage else "")


def _share(snapshot: Snapshot) -> float:
    return snapshot.done / max(1, snapshot.planned)


def _done(snapshot: Snapshot) -> str:
    return f"{snapshot.done:,} of {snapshot.planned:,} evaluations"


def _facts(snapshot: Snapshot) -> Iterator[tuple[str, RenderableType]]:
    work, activity = snapshot.work, snapshot.activity
    if snapshot.is_search:
        yield "best so far", Text(_best(snapshot), style="bold green")
    yield "generation", _generation(snapshot)
    yield "judging", "; ".join(_judging(snapshot)) or "idle"
    yield (
        "ledger",
        f"{work.known:,} reused from the cache, {work.generated:,} generated, {show_many(work.judged, 'verdict')}",
    )
    yield "spent", ", ".join(_spent(snapshot))
    for number, name in enumerate(snapshot.limits):
        limit = Text(f"{QUANTITIES[name]} {_against(snapshot, name)}", style=_alarm(snapshot, name))
        yield "" if number else "budget", limit
    if work.causes:
        yield "failed", Text(_failed(work.causes), style="bold red")
    if activity.alive or activity.workers:
        yield "workers", show_workers(activity)


def _best(snapshot: Snapshot) -> str:
    best = show_estimate(snapshot.best)
    if snapshot.best is None or snapshot.base is None:
        return best
    remark = f"; {snapshot.remark}" if snapshot.remark else ""
    if snapshot.gain is None:
        return f"{best}: the base prompt{remark}"
    gain, n, base = show_gain(snapshot.gain), snapshot.gain.n, snapshot.base.mean
    if n < snapshot.base.n and snapshot.best.n == n:  # its mean over the questions that both have met
        base = snapshot.best.mean - snapshot.gain.mean
    return f"{best}; {gain} over the base prompt's {base:.2f} on the same {show_many(n, 'question')}{remark}"


def _generation(snapshot: Snapshot) -> str:
    activity = snapshot.activity
    blocks = f" in {show_many(activity.queued, 'block')}" if activity.queued else ""
    speed = f"{snapshot.work.tokens_per_second:,.0f} tokens/s"
    return f"{activity.answering:,} prompts in flight, {activity.waiting:,} waiting{blocks}, {speed}"


def _judging(snapshot: Snapshot) -> list[str]:
    waiting = snapshot.work.waiting
    parts = [f"{show_many(waiting, 'answer')} to be judged"] if waiting else []
    return parts + [f"judge: {_service(service)}" for service in snapshot.services]


def _service(service: ServiceActivity) -> str:
    text = f"{service.in_flight} of {service.limit} in flight, {service.waiting:,} waiting"
    text += f", {service.batched:,} in batches" if service.batched else ""
    text += f", told to slow down {show_many(service.slow_downs, 'time')}" if service.slow_downs else ""
    text += f", {service.retries:,} repeated tries" if service.retries else ""
    return text + (f", pausing for {service.paused:.0f} s" if service.paused else "")


def _spent(snapshot: Snapshot) -> Iterator[str]:
    """What no limit speaks of."""
    for name, value in snapshot.spent.items():
        if name not in snapshot.limits and value != 0:
            words = "" if name == "dollars" and value is not None else f" {QUANTITIES[name]}"
            yield show_quantity(name, value) + words


def _against(snapshot: Snapshot, name: str) -> str:
    limit, spent = snapshot.limits[name], snapshot.spent[name]
    share = "" if spent is None else f" ({show_share(spent / limit)})"
    return f"{show_quantity(name, spent)} of {show_quantity(name, limit)}{share}"


def _alarm(snapshot: Snapshot, name: str) -> str:
    spent = snapshot.spent[name]
    return "yellow" if spent is None or spent >= _MUCH * snapshot.limits[name] else ""


def _failed(causes: Mapping[str, int]) -> str:
    most = sorted(causes.items(), key=lambda pair: -pair[1])
    return f"{sum(causes.values()):,}: " + ", ".join(f"{number:,} {cause}" for cause, number in most)
