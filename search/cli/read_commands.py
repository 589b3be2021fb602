"""The commands that look: status, watch, report, knobs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from configs.errors import InputError
from configs.plural import show_many
from search.cli.next_step import after_evaluation, after_search, say_next, shown
from search.cli.options import AsJson, RunDirectory
from search.cli.terminal import print_out, say, show_status, write
from search.live.safe_console import SafeConsole


class ReportFormat(StrEnum):
    HTML = "html"
    MD = "md"


def status(path: RunDirectory, as_json: AsJson = False) -> None:
    """Show the state and results of a run: while it runs, after a crash, at the end.

    Means come with intervals over questions. The search score of a winner is too high, since it was chosen for it; the
    held-out score is the one to report. Failures are listed by cause, with an example; no mean counts them.
    """
    from search.run_directory.run import is_evaluation  # noqa: PLC0415 -- pydantic

    if is_evaluation(path):
        from search.cli.evaluation_table import evaluation_view  # noqa: PLC0415 -- numpy
        from search.results.evaluation_status import read_evaluation  # noqa: PLC0415 -- numpy

        evaluation = read_evaluation(path)
        print_out(evaluation.to_json() if as_json else evaluation_view(evaluation, path))
        if not as_json:
            say_next(*after_evaluation(evaluation, path))
        return
    from search.results.status import read_status  # noqa: PLC0415 -- numpy

    stands = read_status(path)
    show_status(stands, path, as_json)
    if not as_json:
        say_next(*after_search(stands, path))


def watch(
    path: RunDirectory,
    once: Annotated[bool, typer.Option("--once", help="Show the current state and exit.")] = False,
) -> None:
    """Follow a run from another terminal: workers, queues, best so far, spend, time left.

    It ends with the run, or with Ctrl-C, which does not disturb the run. If the run is not
    running, it says so, and how to continue.
    """
    from search.cli.watch import watch as follow  # noqa: PLC0415 -- numpy

    follow(path, SafeConsole(), once)


def report(
    path: RunDirectory,
    form: Annotated[
        ReportFormat,
        typer.Option(
            "--format",
            help="`html`: one page that opens offline and needs nothing else. `md`: Markdown, for issues and papers.",
        ),
    ] = ReportFormat.HTML,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; `report.html` or `report.md` in RUN when not given."),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save every figure there too, as PNG and SVG (needs `demosearch[figures]`)."),
    ] = None,
) -> None:
    """Write a report of a search or an evaluation: while it runs, after a crash, at the end.

    Of a search: winner against base prompt on held-out questions and how far the search score overstated it,
    candidates, contributions of demonstrations. Of an evaluation: its variants, each against the first, and win
    rates where AlpacaEval's judge has judged. Of both: categories, lengths, answers side by side, cost, failures.
    """
    from search.report.forms import report as written  # noqa: PLC0415 -- numpy
    from search.report.forms import save_figures  # noqa: PLC0415 -- numpy

    write(output or path / f"report.{form.value}", written(path, form.value))
    if figures is not None:
        say(f"written: {show_many(len(save_figures(path, figures)), 'file')} in {figures}")
    say_next(f"demosearch view {shown(path.parent)}  # answers and comparisons in the browser")


def knobs(
    part: Annotated[str, typer.Argument(help="Only knobs whose name begins with this.")] = "",
    evaluation: Annotated[
        bool, typer.Option("--evaluation", help="List the settings of `demosearch evaluate`.")
    ] = False,
    experiment: Annotated[
        bool, typer.Option("--experiment", help="List the settings of `demosearch experiment`.")
    ] = False,
    json_schema: Annotated[
        bool, typer.Option("--json-schema", help="Print the JSON schema of a config file, for editors.")
    ] = False,
) -> None:
    """List every knob of a config with its type, range and default."""
    from configs.knobs import describe_knobs  # noqa: PLC0415 -- pydantic
    from configs.schema.evaluation import EvaluationConfig  # noqa: PLC0415 -- pydantic
    from configs.schema.experiment import ExperimentConfig  # noqa: PLC0415 -- pydantic
    from configs.schema.run import RunConfig  # noqa: PLC0415 -- pydantic
    from search.cli.status_table import knob_list  # noqa: PLC0415 -- rich

    model = EvaluationConfig if evaluation else ExperimentConfig if experiment else RunConfig
    if json_schema:
        print_out(model.model_json_schema())
        return
    described = [knob for knob in describe_knobs(model) if knob.name.startswith(part)]
    if not described:
        groups = sorted({knob.name.partition(".")[0].partition("[")[0] for knob in describe_knobs(model)})
        raise InputError(f"no knob's name begins with '{part}'; choose from {', '.join(groups)}")
    print_out(knob_list(described))
    say_next("set one with `--set KNOB=VALUE`")
