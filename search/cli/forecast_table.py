"""What `--dry-run` prints for people."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from search.cli.tables import WholeWordTable
from search.experiments.forecast import ExperimentForecast
from search.forecast.example import PromptExample
from search.forecast.forecast import Quantity, RunForecast
from search.results.wording import show_span


def forecast_view(forecast: RunForecast, paid: str = "spent so far") -> RenderableType:
    """What a run would cost, against its budget.

    Args:
        paid: the head of the column of what has been paid for.
    """
    limited = any(quantity.limit is not None for quantity in forecast.quantities)
    spent = any(quantity.spent for quantity in forecast.quantities)
    table = WholeWordTable("")
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
    holes = [Text(f"Will be missing: {hole.name}: {hole.reason}.") for hole in forecast.holes]
    return Group(forecast_view(forecast.as_run, "paid already"), *holes)


def forecast_sentences(forecast: ExperimentForecast) -> Iterator[str]:
    """The same in short: what the whole experiment takes; where something is paid already, that and the rest; and what
    will not fit."""
    shown = [
        quantity
        for quantity in forecast.quantities
        if quantity.name != "new tokens" and (quantity.at_most != 0 or quantity.name != "judge tokens")
    ]
    holes = f" ({len(forecast.holes):,} more will be missing)" if forecast.holes else ""
    takes = ", ".join(
        _amount(item, item.about, item.at_most) + (holes if item.name == "cells" else "") for item in shown
    )
    yield f"takes {takes}"
    paid = [quantity for quantity in shown if quantity.spent]
    left = {quantity: _left(quantity) for quantity in shown}
    if paid and not any(any(numbers) for quantity, numbers in left.items() if quantity.name in _SINGULAR):
        yield "everything is paid already: tables and page are written again"
    elif paid:
        yield f"paid already: {', '.join(_amount(item, item.spent, item.spent) for item in paid)}"
        yield f"left: {', '.join(_amount(item, *numbers) for item, numbers in left.items())}"
    yield from (f"warning: {warning}" for warning in forecast.warnings)


def _left(quantity: Quantity) -> tuple[float | None, float | None]:
    """What is not paid yet, about and at most; of hours, the same share of both is."""
    spent, about, at_most = quantity.spent or 0.0, quantity.about, quantity.at_most
    if quantity.name in _HOURS:
        share = spent / about if about else 0.0
        return (None if about is None else about - spent), (None if at_most is None else at_most * (1 - share))
    return (
        None if about is None else max(0.0, about - spent),
        None if at_most is None else max(0.0, at_most - spent),
    )


def _amount(quantity: Quantity, about: float | None, at_most: float | None) -> str:
    """`1,248 generations`, `40 to 60 dollars`, `at most 3 h of GPU time`, `no GPU time`, `an unknown time`."""
    name = _UNITS.get(quantity.name, quantity.name)
    if at_most is None and about is None:
        return f"{name.removeprefix('of ')} unknown"
    low, high = (_number(value, quantity.name) for value in (about, at_most))
    number = f"at most {high}" if about is None else low if low == high else f"{low} to {high}"
    if number == "0":
        return f"no {name.removeprefix('of ')}"
    return f"{number} {_SINGULAR.get(name, name) if number == '1' else name}"


_SINGULAR = {
    "cells": "cell",
    "searches": "search",
    "models to fine-tune": "model to fine-tune",
    "generations": "generation",
    "verdicts": "verdict",
}
_UNITS = {"GPU hours": "of GPU time", "hours": "of time", "disk, GB": "GB of disk"}
_HOURS = {"GPU hours": "GPU time", "hours": "time"}
"""Shown with a unit that suits them."""


def _number(value: float | None, name: str) -> str:
    if value is None:
        return "?"
    if value and name in _HOURS:
        return show_span(3600 * value)
    return f"{value:,.0f}" if value == 0 or value >= 100 else f"{value:,.3g}"
