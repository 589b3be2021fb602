"""The command line. Every heavy import stands inside the command that needs it."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.logging import RichHandler

from configs.errors import DemosearchError, InputError
from workers.engine_thread import ENGINE_THREAD

if TYPE_CHECKING:
    from rich.console import RenderableType

    from configs.schema import RunConfig
    from search.forecast import Forecast
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
    epilog="Exit codes: 0 done; 2 something given is wrong; 3 stopped and 130 interrupted: `resume`, or the same "
    "`evaluate`, goes on.",
)

RunDirectory = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, as `run` prints it.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KNOB=VALUE", help="Override a knob, e.g. `strategy.max_demonstrations=3`. Repeatable."
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Check everything, print what it would cost, and spend nothing: no model is loaded."
    ),
]
Like = Annotated[
    Path | None,
    typer.Option(metavar="RUN", help="For --dry-run: an earlier run, whose lengths and speed are to be expected."),
]
TokensPerSecond = Annotated[
    float | None,
    typer.Option(metavar="N", min=1e-9, help="For --dry-run: new tokens a second, all workers together."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]


class ExportFormat(StrEnum):
    URIAL = "urial"
    JSON = "json"
    MESSAGES = "messages"


class ReportFormat(StrEnum):
    HTML = "html"
    MD = "md"


@app.command()
def run(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="A YAML file, or a preset's name such as `quickstart`.")
    ],
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to keep the run; `runs/CONFIG-TIME` when not given.")
    ] = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    like: Like = None,
    tokens_per_second: TokensPerSecond = None,
    as_json: AsJson = False,
) -> None:
    """Start a search and run it to its end.

    Everything is checked before anything is spent. Ctrl-C stops cleanly: verdicts already asked for are waited for and
    kept; press it again to give them up. So does a budget that is spent (`--set budget.dollars=20`; see `demosearch
    knobs budget`): `resume` goes on with a larger one.
    """
    from configs.loading import load_config  # noqa: PLC0415 -- pydantic
    from search.launch import launch  # noqa: PLC0415 -- scipy

    loaded = load_config(config, overrides or [])
    if dry_run:
        from search.dry_run import Experience, forecast_run  # noqa: PLC0415 -- scipy

        _show_forecast(forecast_run(loaded, None, Experience(like, tokens_per_second)), as_json)
        return
    path = run_dir or _new_directory(config)
    _say(f"run directory: {path}")
    _conduct(path, lambda: launch(loaded, path, _console()), as_json)


@app.command()
def resume(
    path: RunDirectory,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    like: Like = None,
    tokens_per_second: TokensPerSecond = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a search that was stopped, killed or crashed.

    It takes the same path as one that was never interrupted, and pays for nothing twice. Knobs that do not decide the
    outcome (such as `workers.count` or `budget.dollars`) may be changed with --set, for this once; a change of anything
    else is refused with the differences.
    """
    from search.launch import resume as go_on  # noqa: PLC0415 -- scipy

    config = _recorded_config(path, overrides)
    if dry_run:
        from search.dry_run import Experience, forecast_run  # noqa: PLC0415 -- scipy

        _show_forecast(forecast_run(config, path, Experience(like, tokens_per_second)), as_json)
        return
    _conduct(path, lambda: go_on(path, _console(), config), as_json)


@app.command()
def evaluate(  # noqa: PLR0913, PLR0917 -- typer makes a flag of each
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="A YAML file, or a preset's name such as `evaluate_quickstart`.")
    ],
    prompts: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt",
            metavar="NAME=PATH",
            help="One more contestant, or another file for one of the config's; no PATH for no prompt. Repeatable.",
        ),
    ] = None,
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to keep it; `runs/CONFIG-TIME` when not given.")
    ] = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    like: Like = None,
    tokens_per_second: TokensPerSecond = None,
    as_json: AsJson = False,
) -> None:
    """Score prompts on a benchmark, side by side, without a search.

    A contestant's prompt is a URIAL file, an export of a search, a list of demonstrations, rules alone, or nothing; it
    may have a model, a template and a decoding of its own, such as an instruct model with its chat template. Means come
    with intervals over questions, differences to the first contestant are paired. `--set side=held_out` asks only the
    questions that a search has not seen.

    With the --run-dir of an earlier evaluation, which may have had fewer contestants, nothing is paid twice, and what
    failed is tried again. `demosearch knobs --evaluation` lists the knobs.
    """
    from configs.loading import load_evaluation  # noqa: PLC0415 -- pydantic
    from search.evaluate import evaluate as score  # noqa: PLC0415 -- scipy
    from search.evaluation_table import evaluation_view  # noqa: PLC0415 -- rich

    loaded = load_evaluation(config, overrides or [], dict(_named(prompt) for prompt in prompts or []))
    if dry_run:
        from search.dry_run import Experience, forecast_evaluation  # noqa: PLC0415 -- scipy

        begun = run_dir if run_dir and (run_dir / "config.json").exists() else None
        _show_forecast(forecast_evaluation(loaded, begun, Experience(like, tokens_per_second)), as_json)
        return
    path = run_dir or _new_directory(config)
    _say(f"run directory: {path}")
    with _interruptible(path, f"the same command with `--run-dir {path}`"):
        done = score(loaded, path, _console())
    _print(done.to_json() if as_json else evaluation_view(done, path))


@app.command("retry-failed")
def retry_failed(path: RunDirectory, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Evaluate a run's failed items again, and nothing else.

    For a search that has ended, was stopped or has crashed. Prompts that are too long stay failed. What succeeds is
    kept beside the journal: the search's path stays what it was, and `status` and `export` read both.
    """
    from search.retry import retry_failed as try_again  # noqa: PLC0415 -- scipy

    config = _recorded_config(path, overrides)
    with _interruptible(path, f"`demosearch retry-failed {path}`"):
        done = try_again(path, _console(), config)
    _show_status(done, path, as_json)


@app.command()
def status(path: RunDirectory, as_json: AsJson = False) -> None:
    """Show where a run stands: while it runs, after a crash, at the end.

    Means come with intervals over questions. The search score of a winner is too high, since it was chosen for it; the
    held-out score is the one to report. Failures are listed by cause, with what one of them met; they are in no mean.
    """
    from search.run import is_evaluation  # noqa: PLC0415 -- pydantic

    if is_evaluation(path):
        from search.evaluation_status import read_evaluation  # noqa: PLC0415 -- scipy
        from search.evaluation_table import evaluation_view  # noqa: PLC0415 -- rich

        evaluation = read_evaluation(path)
        _print(evaluation.to_json() if as_json else evaluation_view(evaluation, path))
        return
    from search.status import read_status  # noqa: PLC0415 -- scipy

    _show_status(read_status(path), path, as_json)


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
        _write(output, text)


@app.command()
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
    """Write what a run has found: while it runs, after a crash, at the end.

    Winner against base prompt on held-out questions and how far the search score overstated it, candidates, categories,
    contributions of demonstrations, answers side by side, cost, failures.
    """
    from search.report import write  # noqa: PLC0415 -- scipy
    from search.report.evidence import read_evidence  # noqa: PLC0415
    from search.report.findings import find  # noqa: PLC0415

    findings = find(read_evidence(path))
    _write(output or path / f"report.{form.value}", write(findings, form.value))
    if figures is not None:
        from search.report.pictures import save_pictures  # noqa: PLC0415 -- plotly

        saved = save_pictures(findings, figures)
        _say(f"written: {len(saved)} files in {figures}")


@app.command()
def knobs(
    part: Annotated[str, typer.Argument(help="Only knobs whose name begins with this.")] = "",
    evaluation: Annotated[bool, typer.Option("--evaluation", help="Those of `demosearch evaluate`.")] = False,
) -> None:
    """List every knob of a config with its type, range and default."""
    from configs.knobs import describe_knobs  # noqa: PLC0415 -- pydantic
    from configs.schema import EvaluationConfig, RunConfig  # noqa: PLC0415
    from search.tables import knob_list  # noqa: PLC0415 -- rich

    described = describe_knobs(EvaluationConfig if evaluation else RunConfig)
    Console().print(knob_list(knob for knob in described if knob.name.startswith(part)))


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


@bench.command()
def overlap(
    seconds: Annotated[float, typer.Option(min=1, help="About how long each of the three passes takes.")] = 30.0,
    latency: Annotated[float, typer.Option(min=0.001, help="Seconds the judge takes for a verdict.")] = 1.0,
    in_flight: Annotated[int, typer.Option(min=1, help="Calls of the judge at the same time.")] = 64,
    speed: Annotated[float, typer.Option(min=0.01, help="Answers a second, as a share of the judge's verdicts.")] = 1.0,
) -> None:
    """What judging adds to the time of generating, when both go on at the same time.

    A judge of a fixed latency beside a generator of a known speed, both made up; loop, ledger and journal are real.
    Prints the time of each alone and of both together.
    """
    from search.bench.overlap import run_overlap  # noqa: PLC0415 -- scipy
    from search.tables import overlap_table  # noqa: PLC0415 -- rich

    Console().print(overlap_table(run_overlap(seconds, latency, in_flight, speed)))


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


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}): give another --output") from None
    _say(f"written: {path}")


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


def _recorded_config(path: Path, overrides: list[str] | None) -> "RunConfig":
    """What the run was started with, with some knobs changed."""
    from configs.loading import override_config  # noqa: PLC0415 -- pydantic
    from search.run import read_config  # noqa: PLC0415 -- pydantic

    recorded = read_config(path)
    return override_config(recorded, overrides) if overrides else recorded


def _conduct(path: Path, search: "Callable[[], Status]", as_json: bool) -> None:
    with _interruptible(path, f"`demosearch resume {path}`"):
        finished = search()
    _show_status(finished, path, as_json)


@contextmanager
def _interruptible(path: Path, way_on: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        begun = (path / "config.json").exists()
        _say(f"interrupted; go on with {way_on}" if begun else "interrupted before anything began")
        raise typer.Exit(130) from None


def _new_directory(config: str) -> Path:
    return Path("runs") / f"{Path(config).stem}-{datetime.now():%Y%m%d-%H%M%S}"


def _named(prompt: str) -> tuple[str, str]:
    name, equals, path = prompt.partition("=")
    if not equals or not name.strip():
        raise InputError(f"'--prompt {prompt}' names nothing; write NAME=PATH, or NAME= for no prompt")
    return name.strip(), path.strip()


def _show_status(status: "Status", path: Path, as_json: bool) -> None:
    from search.tables import status_view  # noqa: PLC0415 -- rich

    _print(status.to_json() if as_json else status_view(status, path))


def _show_forecast(forecast: "Forecast", as_json: bool) -> None:
    from search.forecast_table import forecast_view  # noqa: PLC0415 -- rich

    _print(forecast.to_json() if as_json else forecast_view(forecast))


def _print(content: "dict[str, Any] | RenderableType") -> None:
    if isinstance(content, dict):
        print(json.dumps(content, indent=1))
    else:
        Console().print(content)


def _console() -> Console:
    return Console(stderr=True)


def _say(text: str) -> None:
    _console().print(text, highlight=False, markup=False, soft_wrap=True)
