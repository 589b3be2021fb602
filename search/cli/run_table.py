"""What `list` and `compare` print for people."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from search.cli.tables import WholeWordTable
from search.results.wording import show_estimate, show_gain, show_quantity, show_span
from search.view.compare import ComparedEntry
from search.view.runs import RunRow

_OTHERS = " Entries of another judge have none."
_NOT_COMPARABLE = " Scores on held-out and on search questions are in one table; only the differences compare them."


def run_table(rows: Sequence[RunRow], folder: Path) -> RenderableType:
    """A line a run, newest first."""
    if not rows:
        return Text(f"No run in {folder} yet: start one with `demosearch run quickstart --run-dir {folder}/first`.")
    table = WholeWordTable("run", "state", "model", "strategy", "score", "gain over base", "spent", "tags", gap=1)
    for row in rows:
        spent = show_quantity("dollars", row.spend.dollars) if row.spend.dollars else show_span(row.spend.seconds)
        shown = (
            *(row.name, row.state, row.model, row.strategy, _score(row)),
            *(show_gain(row.gain) if row.gain else "", spent, ", ".join(row.tags)),
        )
        table.add_row(*(Text(value) for value in shown))
    return table


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
        values = (entry.run, entry.prompt, side, show_estimate(line.score), difference, str(line.shared), entry.judge)
        table.add_row(*(Text(value) for value in values))
    sides = {line.entry.side for line in compared}
    others = len({line.entry.judge for line in compared}) > 1
    note = "Differences are paired over the shared questions, with their intervals."
    return Group(table, Text(note + (_NOT_COMPARABLE if len(sides) > 1 else "") + (_OTHERS if others else "")))
