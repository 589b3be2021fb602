"""The command that runs the paper's experiments."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.cli.next_step import say_next, shown
from search.cli.options import AsJson, DryRun, TokensPerSecond, setting
from search.cli.terminal import console, continuable, print_out, say
from search.experiments.catalogue import EXPERIMENTS, experiment_named
from search.run_directory.naming import new_directory

if TYPE_CHECKING:
    from search.experiments.forecast import ExperimentForecast


def experiment(  # noqa: PLR0913, PLR0917 -- typer makes a flag of each
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help=f"One of {', '.join(EXPERIMENTS)}."),
    ],
    config: Annotated[
        str,
        typer.Argument(metavar="CONFIG", help="A YAML file, or a preset's name such as `experiment_quickstart`."),
    ],
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to keep it; `runs/NAME-TIME` when not given.")
    ] = None,
    overrides: Annotated[list[str] | None, setting("ledger_path=runs/toy.sqlite")] = None,
    dry_run: DryRun = False,
    tokens_per_second: TokensPerSecond = None,
    figures: Annotated[bool, typer.Option(help="Also write the figures as PNG and SVG.")] = True,
    as_json: AsJson = False,
) -> None:
    """Run one of the paper's experiments on a pair of models; write its table and figure.

    A grid of prompts, models and decodings is put to the config's benchmarks. Cells that cannot run are left
    empty, with the reason. The directory gets `page.html`, `table.md`, `table.csv` and `figures/`. The same command
    with its --run-dir continues it however it ended, and pays for nothing twice; so does another experiment on the same
    `ledger_path`. Before it starts, it prints what it takes, how much of that is already paid, and what is left.
    """
    from configs.loading import load_experiment  # noqa: PLC0415 -- pydantic

    asked = experiment_named(name)
    loaded = load_experiment(config, overrides or [])
    if dry_run:
        from search.cli.forecast_table import experiment_forecast_view  # noqa: PLC0415 -- rich
        from search.experiments.forecast import forecast_experiment  # noqa: PLC0415

        forecast = forecast_experiment(asked, loaded, run_dir, tokens_per_second)
        print_out(forecast.to_json() if as_json else experiment_forecast_view(forecast))
        return
    from search.experiments.results_json import to_json  # noqa: PLC0415 -- plotly
    from search.experiments.run import run_experiment  # noqa: PLC0415

    path = run_dir or new_directory(asked.name)
    say(f"run directory: {path}")
    with continuable(path, f"the same command with `--run-dir {shown(path)}`"):
        results = run_experiment(asked, loaded, path, console(), figures, _say_forecast)
    if as_json:
        print_out(to_json(results))
    else:
        print((path / "table.md").read_text(encoding="utf-8"), end="")
        say(f"written: {path / 'page.html'}")
        say_next(f"open {shown(path / 'page.html')}")


def _say_forecast(forecast: "ExperimentForecast") -> None:
    """Say it on standard error, so that `--json` stays one object."""
    from search.cli.forecast_table import forecast_sentences  # noqa: PLC0415 -- rich

    for sentence in forecast_sentences(forecast):
        say(sentence)
