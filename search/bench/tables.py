"""What the benchmark commands print for people."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.bench.overhead import OverheadPass
from search.bench.overlap import OverlapTiming


def overlap_table(overlap: OverlapTiming) -> RenderableType:
    """Each alone and both together."""
    table = Table(padding=(0, 1), header_style="bold")
    for column in ("", "seconds", "evaluations/s", "at the judge at once"):
        table.add_column(column, justify="right" if column else "left")
    for scenario in (overlap.generator, overlap.judge, overlap.both_at_once):
        table.add_row(
            scenario.name,
            f"{scenario.seconds:.2f}",
            f"{scenario.evaluations / scenario.seconds:,.1f}",
            f"{scenario.at_once:,}",
        )
    return Group(table, Text(f"Together: {overlap.ratio:.3f} times the slower one alone; the target is 1.1 at most."))


def w1_table(passes: Iterable[OverheadPass]) -> Table:
    """Passes side by side, each with its cost as a share of the first system's."""
    table = Table(padding=(0, 1), header_style="bold")
    for column in (
        "system",
        "pass",
        "CPU ms/evaluation",
        "ratio to ours",
        "evaluations/s",
        "model calls",
        "KB/evaluation",
    ):
        table.add_column(column)
    ours: dict[str, float] = {}
    for measured in passes:
        base = ours.setdefault(measured.name, measured.cpu_ms)
        numbers = (
            f"{measured.cpu_ms:.3f}",
            f"{measured.cpu_ms / base:.1f}",
            f"{measured.per_second:,.0f}",
            f"{measured.calls:,}",
        )
        table.add_row(measured.system, measured.name, *numbers, f"{measured.disk_bytes / 1000:.1f}")
    return table
