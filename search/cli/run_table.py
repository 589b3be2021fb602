"""What `list` and `compare` print for people."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from search.cli.tables import WholeWordTable
from search.results.wording import show_estimate, show_gain, show_quantity, show_span
from search.view.compare import ComparedEntry, remarks
from search.view.runs import RunRow

_KEPT = "base prompt kept"
_SEVERAL = "Runs may have other questions and judges, so their scores cannot be compared as they stand here"


def run_table(rows: Sequence[RunRow], folder: Path) -> RenderableType:
    """A line a run, newest first."""
    if not rows:
        return Text(f"No run in {folder} yet: start one with `demosearch run quickstart --run-dir {folder}/first`.")
    table = WholeWordTable("run", "state", "model", "strategy", "score", "gain over base", "spent", "tags", gap=1)
    for row in rows:
        spent = show_quantity("dollars", row.spend.dollars) if row.spend.dollars else show_span(row.spend.seconds)
        shown = (
            *(row.name, row.state, row.model, row.strategy, _score(row)),
            *(show_gain(row.gain) if row.gain else _KEPT * row.kept_base, spent, ", ".join(row.tags)),
        )
        table.add_row(*(Text(value) for value in shown))
    several = sum(row.score is not None for row in rows) > 1
    return Group(table, *([Text(f"{_SEVERAL}: `demosearch compare RUN RUN` pairs them.")] if several else []))


def _score(row: RunRow) -> str:
    """Search scores, which choosing makes too high, are marked: the others are held-out."""
    if row.score is None:
        return ""
    return show_estimate(row.score) + (" (search questions)" if row.side == "search" else "")


def comparison_table(compared: Sequence[ComparedEntry]) -> RenderableType:
    """A line a prompt, each against the first."""
    columns = ("run", "prompt", "questions", "score", "difference to the first", "shared", "judge")
    table = WholeWordTable(*columns, gap=1)
    for line in compared:
        entry, side = line.entry, line.entry.side.replace("_", "-")
        difference = show_gain(line.difference) if line.difference else ""
        values = (entry.run, entry.label, side, show_estimate(line.score), difference, str(line.shared), entry.judge)
        table.add_row(*(Text(value) for value in values))
    return Group(table, Text(" ".join(["Differences are paired over the shared questions.", *remarks(compared)])))
