"""What the commands print for people."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from configs.knobs import Knob
from search.bench.w1 import Pass
from search.progress import show_estimate
from search.status import Status

_WORDS = {
    "running": "running now",
    "finished": "finished",
    "stopped": "stopped; `demosearch resume` goes on",
    "crashed": "crashed or killed; `demosearch resume` goes on",
}


def status_view(status: Status, path: Path) -> RenderableType:
    """A run at a glance."""
    spend = status.spend
    facts = Table.grid(padding=(0, 2))
    facts.add_row("state", f"{_WORDS[status.state]}{': ' + status.reason if status.reason else ''}")
    facts.add_row(
        "paid for", f"{spend.generated:,} generations ({spend.new_tokens:,} tokens), {spend.judged:,} verdicts"
    )
    if spend.judge_prompt_tokens:
        facts.add_row("judge", f"{spend.judge_prompt_tokens:,} tokens read, {spend.judge_new_tokens:,} written")
    facts.add_row("candidates", f"{status.trials:,} scored")
    for cause, number in status.failures.items():
        facts.add_row("failed", Text(f"{number:,} x {cause} (in no mean)", style="red"))
    parts: list[RenderableType] = [Text(str(path), style="bold"), facts]
    if status.base is not None:
        parts.append(_standings(status))
    if status.state == "finished":
        parts.append(Text(_verdict(status)))
    return Group(*parts)


def _standings(status: Status) -> RenderableType:
    table = Table(box=None, padding=(0, 2), header_style="bold")
    for column in ("", "search score", "held-out score", "gain over base"):
        table.add_column(column, no_wrap=True)
    winner = "winner" if status.state == "finished" else "best so far"
    named = ((winner, status.winner), ("runner-up", status.runner_up), ("base prompt", status.base))
    present = [(name, standing) for name, standing in named if standing is not None]
    for name, one in present:
        estimates = (one.search_score, one.held_out_score, one.held_out_gain)
        table.add_row(name, *(show_estimate(value, with_n=False) if value else "" for value in estimates))
    leader = status.winner or status.base
    counted = (leader.search_score, leader.held_out_score, leader.held_out_gain) if leader else ()
    table.add_row("questions", *(str(value.n) if value else "" for value in counted))
    own = status.base.demonstrations if status.base else ()
    chosen = [Text(f"{name}: {_in_words(one.demonstrations, own)}") for name, one in present]
    return Group(table, *chosen)


def _in_words(demonstrations: tuple[str, ...], base: tuple[str, ...]) -> str:
    """From the top of the prompt down; the base prompt's own, whose ids say nothing, by their number."""
    names = [f"base {base.index(name) + 1}" if name in base else name for name in demonstrations]
    return ", ".join(names) or "no demonstrations"


def _verdict(status: Status) -> str:
    """The one sentence to take home."""
    gain = status.winner.held_out_gain if status.winner else None
    if gain is None:
        return "Nothing beat the base prompt on the guiding questions."
    if gain.low > 0:
        return f"On questions the search never saw, the winner beats the base prompt by {show_estimate(gain)}."
    return (
        f"On questions the search never saw, the winner does not clearly beat the base prompt: {show_estimate(gain)}."
    )


def knob_list(knobs: Iterable[Knob]) -> RenderableType:
    """The reference of the config's knobs."""
    parts: list[RenderableType] = []
    for knob in knobs:
        default = "required" if knob.default is None else f"default {knob.default}"
        kinds = f", only for {knob.when}" if knob.when else ""
        parts.append(Text.assemble((knob.name, "bold"), f"  {knob.type}; {default}{kinds}"))
        parts.append(Padding(Text(knob.description), (0, 0, 1, 4)))
    return Group(*parts)


def w1_table(passes: Iterable[Pass]) -> Table:
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
    for one in passes:
        base = ours.setdefault(one.name, one.cpu_ms)
        numbers = (f"{one.cpu_ms:.3f}", f"{one.cpu_ms / base:.1f}", f"{one.per_second:,.0f}", f"{one.calls:,}")
        table.add_row(one.system, one.name, *numbers, f"{one.disk_bytes / 1000:.1f}")
    return table
