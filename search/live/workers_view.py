"""Workers as people see them: one by one, or where there are many, as a map."""

from collections.abc import Iterator
from statistics import median

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from configs.plural import show_many
from search.results.wording import show_share, show_time
from workers.activity import WorkerActivity, WorkersActivity

_EACH_SHOWN = 8  # workers that have a line each; of more there is a map
_MAPPED = 512  # workers that have a place on the map
_WIDE = 90  # columns, from which a worker's line holds everything


def show_workers(activity: WorkersActivity) -> str:
    """All of them in a line."""
    absent = sum(not worker.alive for worker in activity.workers)
    parts = [f"{activity.busy} of {activity.alive} busy"]
    parts += [f"{absent} not ready"] if absent else []
    parts += [f"idle {show_share(activity.idle_share)} of the time"] if activity.idle_share is not None else []
    parts += [show_many(activity.restarts, "restart")] if activity.restarts else []
    return ", ".join(parts)


def draw_workers(activity: WorkersActivity, width: int) -> Iterator[RenderableType]:
    """A line each; a map of many, with those that need a look."""
    if not activity.workers:
        return
    if len(activity.workers) <= _EACH_SHOWN:
        yield _each(activity.workers, width)
    else:
        yield from _compact(activity.workers)


def _each(workers: tuple[WorkerActivity, ...], width: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for column in range(6 if width >= _WIDE else 4):
        table.add_column(no_wrap=True, justify="right" if column in (0, 2, 3, 5) else "left", overflow="ellipsis")
    for worker in workers:
        speed = "" if worker.tokens_per_second is None else f"{worker.tokens_per_second:,.0f} tokens/s"
        if worker.tokens_per_pass is not None and worker.tokens_per_pass > 1:
            speed += f", {worker.tokens_per_pass:.1f} a pass"
        idle = "" if worker.idle_share is None else f"idle {show_share(worker.idle_share)}"
        whole = (idle, worker.place) if width >= _WIDE else ()
        table.add_row(
            str(worker.number), show_doing(worker), show_time(worker.seconds) if worker.block else "", speed, *whole
        )
    return table


def show_doing(worker: WorkerActivity) -> str:
    """The worker's oldest block, and how far it is."""
    if worker.block is None:
        return "idle" if worker.alive else "not ready"
    more = f" and {worker.more_blocks} more" if worker.more_blocks else ""
    return f"block {worker.block:,}{more}, {worker.answered} of {worker.asked}"


def _compact(workers: tuple[WorkerActivity, ...]) -> Iterator[RenderableType]:
    if len(workers) <= _MAPPED:
        yield Text.assemble(*map(_mark, workers))
    fast = [(worker.tokens_per_second, worker) for worker in workers if worker.tokens_per_second is not None]
    if fast:
        speed, slowest = min(fast, key=lambda pair: pair[0])
        usual = median(pair[0] for pair in fast)
        yield Text(f"slowest: {_name(slowest)}, {speed:,.0f} tokens/s; the median is {usual:,.0f}")
    busy = [worker for worker in workers if worker.block is not None]
    if busy:
        longest = max(busy, key=lambda worker: worker.seconds)
        yield Text(f"longest at it: {_name(longest)}, {show_doing(longest)}, {show_time(longest.seconds)}")


def _mark(worker: WorkerActivity) -> tuple[str, str]:
    """The worker's place on the map, with a style."""
    if not worker.alive:
        return "·", "red"
    return ("□", "yellow") if worker.block is None else ("■", "green")


def _name(worker: WorkerActivity) -> str:
    return f"worker {worker.number}" + (f" on {worker.place}" if worker.place else "")
