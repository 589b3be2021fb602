"""The commands that spend: run, resume, extend, evaluate, retry-failed."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import search
from configs.errors import InputError
from search.cli.options import AsJson, DryRun, Like, Overrides, PayAgain, RunDirectory, TokensPerSecond
from search.cli.terminal import console, interruptible, print_out, say, show_forecast, show_status

if TYPE_CHECKING:
    from configs.schema.run import RunConfig
    from search.results.status import Status


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
    loaded = search.load_config(config, overrides or [])
    if dry_run:
        show_forecast(search.forecast_run(loaded, None, search.Experience(like, tokens_per_second)), as_json)
        return
    path = run_dir or new_directory(config)
    say(f"run directory: {path}")
    _conduct(path, lambda: search.launch(loaded, path, console()), as_json)


def resume(
    path: RunDirectory,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    like: Like = None,
    tokens_per_second: TokensPerSecond = None,
    pay_again: PayAgain = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a search that was stopped, killed or crashed.

    It takes the same path as one that was never interrupted, and pays for nothing twice. Knobs that do not decide the
    outcome (such as `workers.count` or `budget.dollars`) may be changed with --set, for this once; a change of anything
    else is refused with the differences.
    """
    config = recorded_config(path, "resume", overrides)
    if dry_run:
        show_forecast(search.forecast_run(config, path, search.Experience(like, tokens_per_second)), as_json)
        return
    _conduct(path, lambda: search.resume(path, console(), config, pay_again=pay_again), as_json)


def extend(
    path: RunDirectory,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Go on with a search under a larger budget of its strategy: `--set strategy.evaluations=2000`, or trials.

    For a search that has ended, or was stopped by its `budget`. It goes on where its strategy ended: the journal stays
    as it is and grows, nothing is paid for twice, and the manifest says that the search was extended. `screening`,
    `optuna`, `random` and `local_search` have such a budget; for another strategy start a new run.
    """
    config = recorded_config(path, "extend", overrides)
    if dry_run:
        from search.running.extend import plan_extension  # noqa: PLC0415 -- numpy

        plan_extension(path, config)
        show_forecast(search.forecast_run(config, path), as_json)
        return
    _conduct(path, lambda: search.extend(path, config, console()), as_json)


def evaluate(  # noqa: PLR0913, PLR0917 -- typer makes a flag of each
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="A YAML file, or a preset's name such as `evaluate_quickstart`.")
    ],
    prompts: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt",
            metavar="NAME=PATH",
            help="One more variant, or another file for one of the config's; no PATH for no prompt. Repeatable.",
        ),
    ] = None,
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to keep it; `runs/CONFIG-TIME` when not given.")
    ] = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    like: Like = None,
    tokens_per_second: TokensPerSecond = None,
    pay_again: PayAgain = False,
    as_json: AsJson = False,
) -> None:
    """Score prompts on a benchmark, side by side, without a search.

    A variant's prompt is a URIAL file, an export of a search, a list of demonstrations, rules alone, or nothing; it
    may have a model, a template and a decoding of its own, such as an instruct model with its chat template. Means come
    with intervals over questions, differences to the first variant are paired. `--set side=held_out` asks only the
    questions that a search has not seen.

    With the --run-dir of an earlier evaluation, which may have had fewer variants, nothing is paid twice, and what
    failed is tried again. `demosearch knobs --evaluation` lists the knobs.
    """
    from search.cli.evaluation_table import evaluation_view  # noqa: PLC0415 -- rich

    loaded = search.load_evaluation(config, overrides or [], dict(_named(prompt) for prompt in prompts or []))
    if dry_run:
        begun = run_dir if run_dir and (run_dir / "config.json").exists() else None
        show_forecast(search.forecast_evaluation(loaded, begun, search.Experience(like, tokens_per_second)), as_json)
        return
    path = run_dir or new_directory(config)
    say(f"run directory: {path}")
    with interruptible(path, f"the same command with `--run-dir {path}`"):
        done = search.evaluate(loaded, path, console(), pay_again=pay_again)
    print_out(done.to_json() if as_json else evaluation_view(done, path))


def retry_failed(path: RunDirectory, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Evaluate a run's failed items again, and nothing else.

    For a search that has ended, was stopped or has crashed. Prompts that are too long stay failed. What succeeds is
    kept beside the journal: the search's path stays what it was, and `status` and `export` read both.
    """
    config = recorded_config(path, "retry-failed", overrides)
    with interruptible(path, f"`demosearch retry-failed {path}`"):
        done = search.retry_failed(path, console(), config)
    show_status(done, path, as_json)


def recorded_config(
    path: Path, command: Literal["resume", "extend", "retry-failed"], overrides: list[str] | None
) -> "RunConfig":
    """What the run was started with, with some knobs changed."""
    from search.run_directory.run import require_search  # noqa: PLC0415 -- pydantic

    require_search(path, command)
    recorded = search.read_config(path)
    return search.override_config(recorded, overrides) if overrides else recorded


def _conduct(path: Path, work: "Callable[[], Status]", as_json: bool) -> None:
    with interruptible(path, f"`demosearch resume {path}`"):
        finished = work()
    show_status(finished, path, as_json)


def new_directory(config: str) -> Path:
    return Path("runs") / f"{Path(config).stem}-{datetime.now():%Y%m%d-%H%M%S}"


def _named(prompt: str) -> tuple[str, str]:
    name, equals, path = prompt.partition("=")
    if not equals or not name.strip():
        raise InputError(f"'--prompt {prompt}' names nothing; write NAME=PATH, or NAME= for no prompt")
    return name.strip(), path.strip()
