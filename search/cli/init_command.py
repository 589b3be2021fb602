"""The command that writes a first config."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import search
from configs.errors import InputError
from search.cli.next_step import say_next, shown
from search.cli.terminal import say, show_forecast


class JudgeChoice(StrEnum):
    REFERENCE = "reference"
    RUBRIC = "rubric"
    REWARD_MODEL = "reward_model"
    FUNCTION = "function"


def init(  # noqa: PLR0913, PLR0917 -- typer makes a flag of each
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The YAML file to write.")] = Path("search.yaml"),
    model: Annotated[str, typer.Option(help="A model's name on the hub, or a local folder.")] = "",
    questions: Annotated[Path | None, typer.Option(help="A file of questions, one a row.")] = None,
    pool: Annotated[Path | None, typer.Option(help="A file of demonstrations, a query and an answer a row.")] = None,
    judge: Annotated[JudgeChoice | None, typer.Option(help="Who rates the answers; `reference` by default.")] = None,
    judge_name: Annotated[
        str, typer.Option(help="The service's model (rubric), the reward model, or `module:function`.")
    ] = "",
    base_prompt: Annotated[
        Path | None, typer.Option(help="A prompt file to start from; a short one is written when not given.")
    ] = None,
    gpus: Annotated[int, typer.Option(min=0, help="GPUs to use; 0 runs on the CPU, in this process.")] = 0,
) -> None:
    """Write a commented config for your own model, questions and demonstrations, and check it by a dry run.

    What is not given as a flag is asked for. Fields are found by their usual names (query, instruction, question, ...;
    answer, output, response, ...).
    """
    from configs.draft import Draft  # noqa: PLC0415 -- yaml

    model = model or _ask("Model (hub name or folder)", "--model")
    questions = questions or Path(_ask("File of questions", "--questions"))
    pool = pool or Path(_ask("File of demonstrations", "--pool"))
    if judge is None:
        answer = _ask(f"Judge ({', '.join(JudgeChoice)})", "--judge", JudgeChoice.REFERENCE.value)
        if answer not in [*JudgeChoice]:
            raise InputError(
                f"'{answer}' is not a judge that `init` can set up: choose one of {', '.join(JudgeChoice)}"
            )
        judge = JudgeChoice(answer)
    if judge is not JudgeChoice.REFERENCE and not judge_name:
        judge_name = _ask("The judging service's model, the reward model, or module:function", "--judge-name")
    draft = Draft(model, questions, pool, base_prompt, judge.value, judge_name, gpus)
    for file in draft.write(path):
        say(f"written: {file}")
    say("checking it by a dry run ...")
    try:
        show_forecast(search.forecast_run(search.load_config(path)), as_json=False)
    except InputError as error:
        raise InputError(f"{path} is written, but cannot run yet: {error}") from None
    say_next(f"demosearch run {shown(path)}")


def _ask(question: str, flag: str, default: str | None = None) -> str:
    """Ask for what the flag would have given; where nobody is there to answer, it is the default.

    Raises:
        InputError: nobody is there to answer, and there is no default.
    """
    try:
        return str(typer.prompt(question, default=default))
    except typer.Abort:
        if sys.stdin.isatty():  # Ctrl-C
            raise
    say("")
    if default is None:
        raise InputError(f"{flag} is required")
    return default
