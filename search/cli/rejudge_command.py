"""The command `demosearch rejudge`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from search.cli.next_step import say_next, shown
from search.cli.options import AsJson, RunDirectory, setting
from search.cli.terminal import continuable, print_out


def rejudge(
    path: RunDirectory,
    judge: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="A YAML file with `judge:`, and `budget:` if wanted; a search's config will do."
        ),
    ],
    run_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="NEW",
            help="Also make a run directory there, whose `resume` continues the search under the new judge.",
        ),
    ] = None,
    overrides: Annotated[list[str] | None, setting("judge.repeats=2")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge the stored answers of a search or an evaluation with another judge; only its verdicts are paid for.

    Shows how far the two agree, how scores shift, and which conclusions change: each prompt's gain over the base
    prompt under both. Verdicts are kept in the run's ledger, so nothing is paid for twice; the run itself stays as it
    was.
    """
    from configs.loading import load_rejudge  # noqa: PLC0415 -- pydantic
    from search.cli.rejudge_table import rejudge_view  # noqa: PLC0415 -- numpy
    from search.running.rejudge import rejudge as rejudge_run  # noqa: PLC0415 -- numpy

    config = load_rejudge(judge, overrides or [])
    with continuable(path, "the same command"):
        done = rejudge_run(path, config, run_dir)
    print_out(
        json.loads(json.dumps(done.to_json())) if as_json else rejudge_view(done, has_successor=run_dir is not None)
    )
    if not as_json:
        again = "the same command with --run-dir NEW, to go on with the search under the new judge"
        say_next(again if run_dir is None else f"demosearch resume {shown(run_dir)}")
