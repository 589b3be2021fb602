"""The commands that spend: run, resume, extend, evaluate, retry-failed."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import search
from configs.errors import InputError
from search.cli.next_step import after_evaluation, after_search, say_next, shown
from search.cli.options import (
    AnswerTokens,
    AsJson,
    ConfigOrRuns,
    DryRun,
    Like,
    NewDirectory,
    PayAgain,
    Prompts,
    Reuse,
    RunDirectory,
    TokensPerSecond,
    VerdictTokens,
    Winners,
    setting,
)
from search.cli.terminal import console, continuable, print_out, say, show_forecast, show_status
from search.run_directory.naming import new_directory

if TYPE_CHECKING:
    from configs.schema.evaluation import EvaluationConfig
    from configs.schema.run import RunConfig
    from search.forecast.forecast import RunForecast
    from search.results.status import Status


def run(  # noqa: PLR0913, PLR0917 -- typer makes a flag of each
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="A YAML file, or a preset's name such as `quickstart`.")
    ],
    run_dir: NewDirectory = None,
    overrides: Annotated[list[str] | None, setting("strategy.max_demonstrations=3")] = None,
    reuse: Reuse = None,
    dry_run: DryRun = False,
    like: Like = None,
    tokens_per_second: TokensPerSecond = None,
    answer_tokens: AnswerTokens = None,
    verdict_tokens: VerdictTokens = None,
    as_json: AsJson = False,
) -> None:
    """Start a search and run it to its end.

    With `--reuse`, what other runs in the folder of the run directory have paid for is reused.

    Everything is checked before anything is spent. Ctrl-C stops cleanly: verdicts already asked for are waited for and
    kept; press it again to give them up. A spent budget does the same (`--set budget.dollars=20`; see
    `demosearch knobs budget`): `resume` continues with a larger one.
    """
    path = run_dir or new_directory(config)
    loaded = search.load_config(config, overrides or [])
    if reuse is not None:
        loaded = loaded.model_copy(update={"reuse_folder": reuse})
    if dry_run:
        experience = search.Experience(like, tokens_per_second, answer_tokens, verdict_tokens)
        _show_plan(lambda: search.forecast_run(loaded, None, experience, new_at=path), as_json)
        return
    say(f"run directory: {path}")
    _conduct(path, lambda: search.launch(loaded, path, console()), as_json)


def resume(
    path: RunDirectory,
    overrides: Annotated[list[str] | None, setting("workers.count=4")] = None,
    dry_run: DryRun = False,
    like: Like = None,
    tokens_per_second: TokensPerSecond = None,
    pay_again: PayAgain = False,
    as_json: AsJson = False,
) -> None:
    """Continue a search that was stopped, killed or crashed.

    It takes the same path as one that was never interrupted, and pays for nothing twice. Knobs that do not decide the
    outcome (such as `workers.count` or `budget.dollars`) may be changed with --set, for this time only; a change of
    anything else is refused with the differences.
    """
    config = recorded_config(path, "resume", overrides)
    if dry_run:
        _refuse_to_go_on(config, path, pay_again)
        _show_plan(lambda: search.forecast_run(config, path, search.Experience(like, tokens_per_second)), as_json)
        return
    _conduct(path, lambda: search.resume(path, console(), config, pay_again=pay_again), as_json)


def extend(
    path: RunDirectory,
    overrides: Annotated[list[str] | None, setting("strategy.evaluations=2000")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Continue a search with a larger budget for its strategy: `--set strategy.evaluations=2000`, or trials.

    For a search that has ended, or was stopped by its `budget`. It continues where its strategy ended: the journal
    stays as it is and grows, nothing is paid for twice, and the manifest says that the search was extended.
    `screening`, `case`, `optuna`, `random` and `local_search` have such a budget; for another strategy start a new run.
    """
    config = recorded_config(path, "extend", overrides)
    if not overrides:
        raise InputError("the larger budget is missing: give it, as in `--set strategy.evaluations=2000`")
    if dry_run:
        from search.running.extend import plan_extension  # noqa: PLC0415 -- numpy

        extends = plan_extension(path, config) is not None
        if not extends:
            config = config.model_copy(update={"strategy": search.read_config(path).strategy})
        _refuse_to_go_on(config, path, pay_again=False, extends=extends)
        _show_plan(lambda: search.forecast_run(config, path, extends=extends), as_json)
        return
    _conduct(path, lambda: search.extend(path, config, console()), as_json, "the same command")


def evaluate(  # noqa: PLR0913, PLR0917 -- typer makes a flag of each
    config: ConfigOrRuns = None,
    winners: Winners = None,
    prompts: Prompts = None,
    run_dir: NewDirectory = None,
    overrides: Annotated[list[str] | None, setting("questions.limit=40")] = None,
    reuse: Reuse = None,
    dry_run: DryRun = False,
    like: Like = None,
    tokens_per_second: TokensPerSecond = None,
    answer_tokens: AnswerTokens = None,
    verdict_tokens: VerdictTokens = None,
    pay_again: PayAgain = False,
    as_json: AsJson = False,
) -> None:
    """Score prompts on a benchmark, side by side, without a search.

    A variant's prompt is a URIAL file, an export of a search, a list of demonstrations, rules alone, or nothing; it
    may have a model, a template and a decoding of its own, such as an instruct model with its chat template. Means come
    with intervals over questions, differences to the first variant are paired. `--set side=held_out` asks only the
    questions that a search has not seen.

    `--from RUN [RUN ...]` needs no config: base prompt and winners of these searches, on the first one's held-out
    questions and by its judge.

    With the --run-dir of an earlier evaluation, which may have had fewer variants, nothing is paid for twice, and
    what failed is tried again. `demosearch knobs --evaluation` lists the knobs.
    """
    from search.cli.evaluation_table import evaluation_view  # noqa: PLC0415 -- rich

    runs = [*(winners or []), *map(Path, config or [])] if winners else []
    if not runs and len(config or []) != 1:
        raise InputError("CONFIG is required, or the searches to compare: `demosearch evaluate --from RUN [RUN ...]`")
    path = run_dir or new_directory("winners" if runs else (config or [""])[0])
    with TemporaryDirectory() as nowhere:  # a dry run leaves no file
        files = Path(nowhere) if dry_run else path.with_name(f"{path.name}.prompts")
        loaded = _of_runs(runs, files, overrides, prompts, pay_again) if runs else _of_file(config, overrides, prompts)
        if reuse is not None or runs:  # what is compared has been paid for
            loaded = loaded.model_copy(update={"reuse_folder": reuse is not False})
        if dry_run:
            begun = _begun(loaded, path, pay_again)
            experience = search.Experience(like, tokens_per_second, answer_tokens, verdict_tokens, otherwise=runs)
            _show_plan(lambda: search.forecast_evaluation(loaded, begun, experience, new_at=path), as_json)
            return
    say(f"run directory: {path}")
    with continuable(path, f"the same command with `--run-dir {shown(path)}`"):
        done = search.evaluate(loaded, path, console(), pay_again=pay_again)
    print_out(done.to_json() if as_json else evaluation_view(done, path))
    if not as_json:
        say_next(*after_evaluation(done, path))


def _begun(config: "EvaluationConfig", path: Path, pay_again: bool) -> Path | None:
    """The directory, where an earlier evaluation is there, which this one would go on with."""
    from search.run_directory.files import holds_run  # noqa: PLC0415 -- numpy
    from search.running.evaluate import refuse_search, refuse_to_go_on  # noqa: PLC0415 -- numpy

    if not holds_run(path):
        return None
    refuse_search(path)
    refuse_to_go_on(config, path, pay_again=pay_again)
    return path


def _of_file(config: list[str] | None, overrides: list[str] | None, prompts: list[str] | None) -> "EvaluationConfig":
    named = dict(_named(prompt) for prompt in prompts or [])
    return search.load_evaluation((config or [""])[0], overrides or [], named)


def _of_runs(
    runs: list[Path], folder: Path, overrides: list[str] | None, prompts: list[str] | None, pay_again: bool
) -> "EvaluationConfig":
    """What `--from` compares; its prompts are kept in this folder."""
    from search.running.winners import evaluation_of_winners  # noqa: PLC0415 -- numpy

    if prompts:
        raise InputError("--prompt goes with a CONFIG: leave it out, or write a config instead of --from")
    loaded, notices = evaluation_of_winners(runs, folder, pay_again=pay_again)
    for notice in notices:
        say(f"notice: {notice}")
    return search.override_config(loaded, overrides) if overrides else loaded


def retry_failed(
    path: RunDirectory,
    overrides: Annotated[list[str] | None, setting("workers.count=4")] = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a run's failed items again, and nothing else.

    For a search that has ended, was stopped or has crashed. Prompts that are too long stay failed. What succeeds is
    kept beside the journal: the search's path stays what it was, and `status` and `export` read both.
    """
    config = recorded_config(path, "retry-failed", overrides)
    with continuable(path, f"`demosearch retry-failed {shown(path)}`"):
        done = search.retry_failed(path, console(), config)
    _show_end(done, path, as_json)


def recorded_config(
    path: Path, command: Literal["resume", "extend", "retry-failed"], overrides: list[str] | None
) -> "RunConfig":
    """What the run was started with, with some knobs changed."""
    from search.run_directory.run import require_search  # noqa: PLC0415 -- pydantic

    require_search(path, command)
    recorded = search.read_config(path)
    return search.override_config(recorded, overrides) if overrides else recorded


def _refuse_to_go_on(config: "RunConfig", path: Path, pay_again: bool, extends: bool = False) -> None:
    from search.running.launch import refuse_to_go_on  # noqa: PLC0415 -- numpy

    refuse_to_go_on(config, path, pay_again=pay_again, extends=extends)


def _conduct(path: Path, work: "Callable[[], Status]", as_json: bool, continuation: str = "") -> None:
    with continuable(path, continuation or f"`demosearch resume {shown(path)}`"):
        finished = work()
    _show_end(finished, path, as_json)


def _show_end(status: "Status", path: Path, as_json: bool) -> None:
    show_status(status, path, as_json)
    if not as_json:
        say_next(*after_search(status, path))


def _show_plan(make_forecast: "Callable[[], RunForecast]", as_json: bool) -> None:
    """Make a forecast and show it; libraries take seconds to load, so something is said before."""
    say("dry run: reading the data and planning; nothing is spent ...")
    show_forecast(make_forecast(), as_json)
    if not as_json:
        say_next("the same command without --dry-run")


def _named(prompt: str) -> tuple[str, str]:
    name, equals, path = prompt.partition("=")
    if not equals or not name.strip():
        raise InputError(f"'--prompt {prompt}' has no name; write NAME=PATH, or NAME= for no prompt")
    return name.strip(), path.strip()
