"""The commands that take a result elsewhere: export, push."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from configs.errors import InputError
from search.cli.options import RunDirectory
from search.cli.terminal import say, write, write_out

if TYPE_CHECKING:
    from search.export import Format


class ExportFormat(StrEnum):
    URIAL = "urial"
    JSON = "json"
    VLLM = "vllm"
    MESSAGES = "messages"
    OPENAI = "openai"
    HUGGING_FACE = "hugging_face"
    CHAT_TEMPLATE = "chat_template"
    LANGCHAIN = "langchain"
    DSPY = "dspy"
    PROMPTFOO = "promptfoo"
    OPTUNA = "optuna"


BestSoFar = Annotated[bool, typer.Option("--best-so-far", help="Also from a search that has not ended.")]
Anyway = Annotated[
    bool,
    typer.Option(
        "--anyway", help="What the search has found, also where too little says that it beats the base prompt; says so."
    ),
]


def export(
    path: RunDirectory,
    form: Annotated[ExportFormat, typer.Option("--format", help="What to write; see above.")] = ExportFormat.URIAL,
    best_so_far: BestSoFar = False,
    anyway: Anyway = False,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="File to write, or a database's address; standard output when not given."),
    ] = None,
) -> None:
    """Write the best demonstrations that a run has found, exactly as they were scored.

    For people and for demosearch:

    - `urial`: a prompt file that loads as a base prompt again
    - `json`: demonstrations, scores and provenance; `evaluate` reads it

    For a base model, which continues text:

    - `vllm`: the shared prefix, what stands around a question, and a request for vLLM's and SGLang's `/v1/completions`
    - `langchain`: `FewShotPromptTemplate(**content)`, or `ChatPromptTemplate(**content)` of a run with a chat template
    - `promptfoo`: a configuration with prompt, provider and the held-out questions, for `promptfoo eval -c`

    For a chat:

    - `messages`: a list of OpenAI messages, to which the question is to be added
    - `openai`: `client.chat.completions.create(**content)`, with the question behind the last message's content
    - `hugging_face`: messages and arguments for a transformers tokenizer's `apply_chat_template`
    - `chat_template`: a Jinja template with which a server spells chats as URIAL does (vLLM: `--chat-template`)
    - `dspy`: the state of a `dspy.Predict("query -> answer")`, for its `load`; DSPy spells prompts in its own way

    All candidates, with their scores, whether the search has ended or not:

    - `optuna`: an Optuna study of the run's name, for `optuna-dashboard`; `--output sqlite:///study.db`
    """
    chosen: Literal["optuna"] | Format = form.value
    if chosen == "optuna":
        _fill_study(path, output)
        return
    from search.export import caveat, read_best_prompt, written  # noqa: PLC0415 -- scipy

    best = read_best_prompt(path, best_so_far, anyway)
    text = written(best, chosen)
    if output is None:
        write_out(text)
    else:
        write(Path(output), text)
    if note := caveat(best, chosen):
        say(f"note: {note}")


def _fill_study(path: Path, address: str | None) -> None:
    from search.export.optuna_study import fill_study  # noqa: PLC0415 -- optuna

    if address is None or "://" not in address:
        raise InputError("a study goes into a database: give its address, such as `--output sqlite:///study.db`")
    trials = fill_study(path, address)
    say(f"written: {trials:,} trials; `optuna-dashboard` with the same address shows them")


def push(
    path: RunDirectory,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write it; a folder of its own.")],
    upload: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="Upload it, too, as this data set of the Hugging Face hub.")
    ] = None,
    private: Annotated[
        bool, typer.Option("--private/--public", help="Who may see a data set that is made by the upload.")
    ] = True,
    best_so_far: BestSoFar = False,
) -> None:
    """Write the best demonstrations as a data set for a hub, with a card that says how good they are.

    The card has the scores on held-out questions with their intervals beside the base prompt's, by how much the search
    overstated them, and what speaks against them. Nothing leaves this machine without `--upload`, which needs a token
    (`hf auth login`, or HF_TOKEN).
    """
    from search.export.push import push as pushed  # noqa: PLC0415 -- scipy

    address = pushed(path, folder, upload, private, best_so_far)
    say(f"written: {folder}")
    if address is not None:
        say(f"uploaded: {address}")
