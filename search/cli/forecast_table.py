"""What `--dry-run` prints for people."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.experiments.forecast import ExperimentForecast
from search.forecast.example import PromptExample
from search.forecast.forecast import RunForecast
from search.results.wording import show_span


def forecast_view(forecast: RunForecast, paid: str = "spent so far") -> RenderableType:
    """What a run would cost, against its budget.

    Args:
        paid: the head of the column of what has been paid for.
    """
    limited = any(quantity.limit is not None for quantity in forecast.quantities)
    spent = any(quantity.spent for quantity in forecast.quantities)
    table = Table(box=None, padding=(0, 2), header_style="bold")
    table.add_column("")
    for column in ("about", "at most", *((paid,) if spent else ()), *(("budget",) if limited else ())):
        table.add_column(column, justify="right", overflow="fold")
    table.add_column("")
    for quantity in forecast.quantities:
        if (
            quantity.about == quantity.at_most == 0
            and quantity.limit is None
            and not quantity.spent
            and quantity.name.startswith("judge ")
        ):
            continue  # a judge without a model
        numbers = [_number(quantity.about, quantity.name), _number(quantity.at_most, quantity.name)]
        numbers += [_number(quantity.spent, quantity.name)] if spent else []
        numbers += ["" if quantity.limit is None else _number(quantity.limit, quantity.name)] if limited else []
        says = [f"the budget {quantity.prospect}"] if quantity.prospect else []
        table.add_row(
            _HOURS.get(quantity.name, quantity.name),
            *numbers,
            "; ".join([*says, *([quantity.note] * bool(quantity.note))]),
        )
    return Group(
        table, *(Text(note[:1].upper() + note[1:] + ".") for note in forecast.notes), *_prompt(forecast.prompt)
    )


def _prompt(prompt: PromptExample | None) -> Iterator[RenderableType]:
    """One prompt as the model reads it, indented; the middle of a long one is left out."""
    if prompt is not None:
        tokens = f"{prompt.tokens:,} tokens" if prompt.is_counted else f"about {prompt.tokens:,} tokens"
        yield Text(f"\nA prompt of this run ({prompt.title}): {tokens}", style="bold")
        yield from (Text(f"    {line}".rstrip()) for line in prompt.shortened())


def experiment_forecast_view(forecast: ExperimentForecast) -> RenderableType:
    """What an experiment would take, what of it is paid already, and which of its cells cannot run."""
    holes = [Text(f"Hole: {hole.name}: {hole.reason}.") for hole in forecast.holes]
    return Group(forecast_view(forecast.as_run, "paid already"), *holes)


_HOURS = {"GPU hours": "GPU time", "hours": "time"}
"""Shown with a unit that suits them."""


def _number(value: float | None, name: str) -> str:
    if value is None:
        return "?"
    if value and name in _HOURS:
        return show_span(3600 * value)
    return f"{value:,.0f}" if value == 0 or value >= 100 else f"{value:,.3g}"
