"""The commands that take a result elsewhere: export, push."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from configs.errors import InputError
from configs.plural import show_many
from search.cli.next_step import say_next, shown
from search.cli.options import RunDirectory
from search.cli.terminal import say, write, write_out
from search.export import FORMS, Format, caveat, written

_STUDY = "an Optuna study of the run's name, for `optuna-dashboard`; `--output sqlite:///study.db`"


def export_formats() -> list[str]:
    """What `--format` takes."""
    return [*FORMS, "optuna", "reviews"]


def export_help() -> str:
    """The help of `export`: every format by those whom it is for."""
    parts = ["Write the best demonstrations that a run has found, exactly as they were scored."]
    for audience in dict.fromkeys(form.audience for form in FORMS.values()):
        parts.append(f"For {audience}:")
        parts.append(
            "\n".join(f"- `{name}`: {form.summary}" for name, form in FORMS.items() if form.audience == audience)
        )
    parts += ["All candidates, with their scores, whether the search has ended or not:", f"- `optuna`: {_STUDY}"]
    parts += ["The answers that people have reviewed (`demosearch view --edit`), of evaluations too:"]
    parts += ["- `reviews`: JSONL with the verdict, the comment, the answer and its score"]
    return "\n\n".join(parts)


BestSoFar = Annotated[bool, typer.Option("--best-so-far", help="Also export from a search that is not finished.")]
Anyway = Annotated[
    bool,
    typer.Option(
        "--anyway",
        help="Export what the search has found even with weak evidence that it beats the base prompt; says so.",
    ),
]


def export(
    path: RunDirectory,
    form: Annotated[
        Literal[Format, "optuna", "reviews"], typer.Option("--format", help="What to write; see above.")
    ] = "urial",
    best_so_far: BestSoFar = False,
    anyway: Anyway = False,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="File to write, or a database's address; standard output when not given."),
    ] = None,
) -> None:
    """Write what a run has found; `export_help` says in which forms."""
    if form == "optuna":
        _fill_study(path, output)
        return
    if form == "reviews":
        from search.export.reviews import reviewed_answers  # noqa: PLC0415 -- numpy

        text, unmatched = reviewed_answers(path)
        _write_text(text, output)
        if unmatched:
            say(f"note: left out {show_many(unmatched, 'review')} of answers that this run does not hold")
        return
    from search.export.best_prompt import read_best_prompt  # noqa: PLC0415 -- numpy

    best = read_best_prompt(path, best_so_far, anyway)
    _write_text(written(best, form), output)
    if output is not None and form in ("urial", "json"):
        say_next(f"demosearch evaluate CONFIG --prompt found={shown(output)}")
    if note := caveat(best, form):
        say(f"note: {note}")


def _write_text(text: str, output: str | None) -> None:
    if output is None:
        write_out(text)
    else:
        write(Path(output), text)


def _fill_study(path: Path, address: str | None) -> None:
    from search.export.optuna_study import fill_study  # noqa: PLC0415 -- optuna

    if address is None or "://" not in address:
        raise InputError("an Optuna study needs a database: set its address, such as `--output sqlite:///study.db`")
    trials = fill_study(path, address)
    say(f"written: {show_many(trials, 'candidate')}, a trial each; `optuna-dashboard` with the same address shows them")


def push(
    path: RunDirectory,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; it must hold nothing else.")],
    upload: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="Also upload it, as this data set of the Hugging Face hub.")
    ] = None,
    private: Annotated[
        bool, typer.Option("--private/--public", help="Who may see the data set, where the upload creates it.")
    ] = True,
    best_so_far: BestSoFar = False,
    anyway: Anyway = False,
) -> None:
    """Write the best demonstrations as a data set for a hub, with a card that gives their scores.

    The card has the scores on held-out questions with their intervals beside the base prompt's, by how much the search
    overstated them, and what speaks against them. Nothing leaves this machine without `--upload`, which needs a token
    (`hf auth login`, or HF_TOKEN).
    """
    from search.export.push import push as pushed  # noqa: PLC0415 -- numpy

    address = pushed(path, folder, upload, private, best_so_far, anyway)
    say(f"written: {folder}")
    if address is not None:
        say(f"uploaded: {address}")
    else:
        say_next(f"read {shown(folder / 'README.md')}, then the same command with --upload OWNER/NAME")
