"""The command `demosearch rejudge`, and what it prints."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.cli.next_step import say_next, shown
from search.cli.options import AsJson, Overrides, RunDirectory
from search.cli.terminal import interruptible, print_out
from search.results.bridge import SideBridge
from search.results.wording import show_estimate
from search.running.rejudge import Rejudged
from search.running.rejudge import rejudge as rejudge_run
from search.statistics.agreement import Agreement

_SIDES = {"search": "search questions", "held_out": "held-out questions", "all": "all questions"}


def rejudge(
    path: RunDirectory,
    judge: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="A YAML file with `judge:`, and `budget:` if wanted; a search's config does."
        ),
    ],
    run_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="NEW",
            help="Also make a run directory there, whose `resume` goes on with the search under the new judge.",
        ),
    ] = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Have the stored answers of a search or an evaluation judged by another judge, for the price of verdicts alone.

    Shows how far the two agree, how scores shift, and which conclusions change: each prompt's gain over the base
    prompt under both. Verdicts are kept in the run's ledger, so nothing is paid for twice; the run itself stays as it
    was.
    """
    from configs.loading import load_rejudge  # noqa: PLC0415 -- pydantic

    config = load_rejudge(judge, overrides or [])
    with interruptible(path, "the same command"):
        done = rejudge_run(path, config, run_dir)
    print_out(json.loads(json.dumps(done.to_json())) if as_json else _view(done))
    if not as_json:
        again = "the same command with --run-dir NEW, to go on with the search under the new judge"
        say_next(again if run_dir is None else f"demosearch resume {shown(run_dir)}")


def _view(done: Rejudged) -> RenderableType:
    price = "" if done.spend.dollars is None else f", ${done.spend.dollars:,.2f}"
    head = Text(f"{done.spend.judged:,} verdicts of the new judge{price}; {done.failed:,} answers got no score")
    return Group(head, *(part for side in done.sides for part in _side(side)))


def _side(side: SideBridge) -> list[RenderableType]:
    facts = Table.grid(padding=(0, 2))
    facts.add_row(f"{_SIDES[side.side]}", f"{side.answers:,} answers that both judges scored")
    facts.add_row("shift", f"{show_estimate(side.shift)} (new minus old)")
    facts.add_row(
        "agreement", f"{_shown(side.alpha)} (Krippendorff's alpha), ranks {_shown(side.ranks)} (Kendall's tau)"
    )
    same = "the same prompt is best under both" if side.best[0] == side.best[1] else f"best now: {side.best[1]}"
    facts.add_row("best", Text(f"{side.best[0]}; {same}" if side.best[0] != side.best[1] else same))
    table = Table(box=None, padding=(0, 2), header_style="bold")
    for column in ("prompt", "before", "now", "gain before", "gain now", "what changes"):
        table.add_column(column)
    for prompt in side.prompts:
        gains = ["" if gain is None else show_estimate(gain) for gain in (prompt.earlier_gain, prompt.now_gain)]
        table.add_row(
            Text(prompt.name), show_estimate(prompt.earlier), show_estimate(prompt.now), *gains, prompt.changes
        )
    return [facts, table]


def _shown(figure: Agreement) -> str:
    return (
        "cannot be told"
        if figure.value != figure.value
        else f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"
    )
