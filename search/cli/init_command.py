"""The command that writes a first config."""

import sys
from collections.abc import Callable
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


_NAMED = {
    JudgeChoice.RUBRIC: "Model of the judging service",
    JudgeChoice.REWARD_MODEL: "Reward model (hub name or folder)",
    JudgeChoice.FUNCTION: "Judge function (module:function)",
}
"""What is asked about judges that need a name."""


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
    answer, output, response, ...), conversations by their roles; a system message that all of them share becomes the
    rules.
    """
    from configs.draft import BASE_PROMPT, Draft  # noqa: PLC0415 -- yaml
    from configs.usual_fields import pool_fields, question_fields, require_reference  # noqa: PLC0415 -- only here

    model = model or _ask("Model (hub name or folder)", "--model")
    questions = questions or _ask_file("File of questions", "--questions", question_fields)
    pool = pool or _ask_file("File of demonstrations", "--pool", pool_fields)
    if judge is None:
        choices = ", ".join(JudgeChoice)

        def check(name: str) -> None:
            if name not in [*JudgeChoice]:
                raise InputError(f"'{name}' is not a judge that `init` can set up: choose one of {choices}")
            if name == JudgeChoice.REFERENCE:
                require_reference(questions)

        judge = JudgeChoice(_ask(f"Judge ({choices})", "--judge", JudgeChoice.REFERENCE.value, check))
    if judge in _NAMED and not judge_name:
        judge_name = _ask(_NAMED[judge], "--judge-name")
    draft = Draft(model, questions, pool, base_prompt, judge.value, judge_name, gpus)
    for file in draft.write(path):
        shared = file.name == BASE_PROMPT and draft.pool_fields.system_message
        say(f"written: {file}{f' (its rules are the system message of all conversations in {pool})' if shared else ''}")
    say("checking it by a dry run ...")
    try:
        show_forecast(search.forecast_run(search.load_config(path)), as_json=False)
    except InputError as error:
        raise InputError(f"{path} is written, but cannot run yet: {error}") from None
    say_next(f"demosearch run {shown(path)}")


def _ask_file(question: str, flag: str, check: Callable[[Path], object]) -> Path:
    return Path(_ask(question, flag, check=lambda name: check(Path(name).expanduser()))).expanduser()


def _ask(question: str, flag: str, default: str | None = None, check: Callable[[str], object] = str) -> str:
    """Ask for what the flag would have given; where nobody is there to answer, it is the default.

    Args:
        check: raises InputError where an answer cannot be used; the question is then asked again.

    Raises:
        InputError: nobody is there to answer, and there is no default.
    """

    def checked(answer: str) -> str:
        try:
            check(answer)
        except InputError as error:
            raise typer.BadParameter(str(error)) from None
        return answer

    try:
        return str(typer.prompt(question, default=default, value_proc=checked))
    except typer.Abort:
        if sys.stdin.isatty():  # Ctrl-C
            raise
    say("")
    if default is None:
        raise InputError(f"{flag} is required")
    return default
