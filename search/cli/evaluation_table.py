"""What `demosearch evaluate` prints for people."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.cli.status_table import add_spend, add_state, failures_table
from search.cli.tables import WholeWordTable, facts_grid
from search.results.comparison import Result
from search.results.evaluation_status import EvaluationStatus
from search.results.wording import show_estimate, show_gain
from search.statistics.estimates import Estimate


def evaluation_view(status: EvaluationStatus, path: Path) -> RenderableType:
    """Variants side by side."""
    parts: list[RenderableType] = [Text(str(path), style="bold"), _evaluation_facts(status)]
    if status.results:
        parts += [_variants(status.results), *_of_failures(status.results), *_categories(status.results)]
    parts += [Text(f"AlpacaEval 2.0, {place}") for place in status.places]
    if status.failures:
        continuation = "Failed items are in no mean; the same command with the same --run-dir tries them again."
        parts += [failures_table(status.failures), Text(continuation)]
    return Group(*parts)


def _evaluation_facts(status: EvaluationStatus) -> Table:
    spend, going = status.spend, "the same command with the same --run-dir goes on"
    words = {"running": "running now", "finished": "finished", "stopped": f"stopped; {going}"}
    facts = facts_grid()
    add_state(facts, words.get(status.state, f"crashed or killed; {going}"), status.reason)
    add_spend(facts, spend, status.drafting)
    return facts


def _of_failures(results: Sequence[Result]) -> list[RenderableType]:
    """What must be known of means over different questions."""
    if len(results) < 2 or not any(result.failed for result in results):
        return []
    return [
        Text("Scores leave out the questions that failed, so they are not all over the same ones; differences are.")
    ]


def _variants(results: Sequence[Result]) -> Table:
    turns = max(len(result.turns) for result in results)
    names = ("", "score", f"over {results[0].name}", *(f"turn {turn + 1}" for turn in range(turns)))
    table = WholeWordTable(*map(Text, (*names, "characters", "n", "failed")))
    for result in results:
        shown = [_shown(value) for value in result.turns] + [""] * (turns - len(result.turns))
        score = _shown(result.score) or "too many failed"
        length = "" if result.length is None else f"{result.length:,.0f}"
        table.add_row(
            *(Text(result.name), score, show_gain(result.difference) if result.difference else ""),
            *(*shown, length, f"{result.n:,}", f"{result.failed:,}"),
        )
    return table


def _categories(results: Sequence[Result]) -> list[RenderableType]:
    names = list(results[0].categories)
    if not names:
        return []
    table = WholeWordTable(*map(Text, ("mean by category", *(result.name for result in results), "n")))
    for name in names:
        values = [result.categories.get(name) for result in results]
        n = max((value.n for value in values if value), default=0)
        table.add_row(Text(name), *(f"{value.mean:.2f}" if value else "" for value in values), f"{n:,}")
    return [table]


def _shown(value: Estimate | None) -> str:
    return "" if value is None else show_estimate(value, with_n=False)
