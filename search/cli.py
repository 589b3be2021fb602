"""The command line. Every heavy import stands inside the command that needs it."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.logging import RichHandler

from configs.errors import DemosearchError, InputError
from workers.engine_thread import ENGINE_THREAD

if TYPE_CHECKING:
    from search.status import Status

app = typer.Typer(
    name="demosearch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Find the in-context demonstrations that make a base language model follow instructions, and prove it.

A search tries ordered sets of demonstrations in front of a benchmark's questions, has a judge score the answers, and
reports the best set on questions the search never saw. Every generation and every verdict is kept on disk before it is
used: kill it at any moment, `demosearch resume` goes on and pays for nothing twice.

**First steps**: `demosearch run quickstart` runs a complete search with a toy model on this machine.""",
    epilog="Exit codes: 0 done; 2 something given is wrong; 3 stopped and 130 interrupted: `resume` goes on.",
)

RunDirectory = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, as `run` prints it.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KNOB=VALUE", help="Override a knob, e.g. `strategy.max_demonstrations=3`. Repeatable."
    ),
]


class ExportFormat(StrEnum):
    URIAL = "urial"
    JSON = "json"
    MESSAGES = "messages"


@app.command()
def run(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="A YAML file, or a preset's name such as `quickstart`.")
    ],
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to keep the run; `runs/CONFIG-TIME` when not given.")
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Start a search and run it to its end.

    Everything is checked before anything is spent. Ctrl-C stops cleanly: verdicts already asked for are waited for and
    kept; press it again to give them up.
    """
    from configs.loading import load_config  # noqa: PLC0415 -- pydantic
    from search.launch import launch  # noqa: PLC0415 -- scipy

    loaded = load_config(config, overrides or [])
    path = run_dir or Path("runs") / f"{Path(config).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    _say(f"run directory: {path}")
    _conduct(path, lambda: launch(loaded, path, _console()))


@app.command()
def resume(path: RunDirectory, overrides: Overrides = None) -> None:
    """Go on with a search that was stopped, killed or crashed.

    It takes the same path as one that was never interrupted, and pays for nothing twice. Knobs that do not decide the
    outcome (such as `workers.count`) may be changed with --set; a change of anything else is refused with the
    differences.
    """
    from search.launch import resume as go_on  # noqa: PLC0415 -- scipy
    from search.run import read_config  # noqa: PLC0415 -- pydantic

    config = read_config(path)
    if overrides:
        from configs.loading import override_config  # noqa: PLC0415 -- pydantic

        config = override_config(config, overrides)
    _conduct(path, lambda: go_on(path, _console(), config))


@app.command()
def status(
    path: RunDirectory,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")] = False,
) -> None:
    """Show where a run stands: while it runs, after a crash, at the end.

    Means come with intervals over questions. The search score of a winner is too high, since it was chosen for it; the
    held-out score is the one to report. Failures are counted by cause and are in no mean.
    """
    from search.status import read_status  # noqa: PLC0415 -- scipy
    from search.tables import status_view  # noqa: PLC0415 -- rich

    read = read_status(path)
    if as_json:
        print(json.dumps(read.to_json(), indent=1))
    else:
        Console().print(status_view(read, path))


@app.command()
def export(
    path: RunDirectory,
    form: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            help="`urial`: a prompt file that loads as a base prompt again. `json`: demonstrations, scores and "
            "provenance. `messages`: an OpenAI chat.",
        ),
    ] = ExportFormat.URIAL,
    best_so_far: Annotated[bool, typer.Option("--best-so-far", help="Also from a search that has not ended.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output when not given.")
    ] = None,
) -> None:
    """Write the best demonstrations that a run has found, exactly as they were scored."""
    from search.export import export as written  # noqa: PLC0415 -- scipy

    text = written(path, form.value, best_so_far)
    if output is None:
        sys.stdout.write(text)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{output} cannot be written ({error.strerror}): give another --output") from None
        _say(f"written: {output}")


@app.command()
def knobs(part: Annotated[str, typer.Argument(help="Only knobs whose name begins with this.")] = "") -> None:
    """List every knob of a config with its type, range and default."""
    from configs.knobs import describe_knobs  # noqa: PLC0415 -- pydantic
    from search.tables import knob_list  # noqa: PLC0415 -- rich

    Console().print(knob_list(knob for knob in describe_knobs() if knob.name.startswith(part)))


bench = typer.Typer(no_args_is_help=True, help="Measure this engine beside a named alternative, in one run.")
app.add_typer(bench, name="bench")


@bench.command()
def w1(
    dspy_python: Annotated[
        Path | None,
        typer.Option(
            metavar="PYTHON", help="Python of an environment with dspy (tested: 3.4.1), to measure it beside."
        ),
    ] = None,
) -> None:
    """What an evaluation costs the engine itself: 8,000 of them, with a model and a judge that answer at once.

    Prints processor milliseconds an evaluation: cold (computed and durably kept), warm (same process, from the ledger)
    and in a new process.
    """
    from search.bench.w1 import run_w1  # noqa: PLC0415 -- scipy
    from search.tables import w1_table  # noqa: PLC0415 -- rich

    Console().print(w1_table(run_w1(dspy_python)))


def main() -> None:
    """The command `demosearch`."""
    logging.basicConfig(format="%(message)s", handlers=[RichHandler(console=_console(), show_path=False)])
    for room in ("search", "evaluators", "workers"):
        logging.getLogger(room).setLevel(logging.INFO)
    try:
        app()
    except InputError as error:
        _fail(error, 2)
    except DemosearchError as error:
        _fail(error, 3)
    except SystemExit as end:
        _leave(end.code if isinstance(end.code, int) else 0)


def _fail(error: Exception, code: int) -> None:
    _say(f"demosearch: {error}")
    _leave(code)


def _leave(code: int) -> None:
    """A model that still generates in its thread would abort the interpreter on its ordinary way out."""
    if any(thread.name == ENGINE_THREAD for thread in threading.enumerate()):
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _conduct(path: Path, search: "Callable[[], Status]") -> None:
    from search.tables import status_view  # noqa: PLC0415 -- rich

    try:
        finished = search()
    except KeyboardInterrupt:
        begun = (path / "config.json").exists()
        _say(f"interrupted; go on with `demosearch resume {path}`" if begun else "interrupted before anything began")
        raise typer.Exit(130) from None
    Console().print(status_view(finished, path))


def _console() -> Console:
    return Console(stderr=True)


def _say(text: str) -> None:
    _console().print(text, highlight=False, markup=False, soft_wrap=True)
