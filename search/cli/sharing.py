"""The commands that take a result elsewhere: export."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from search.cli.options import RunDirectory
from search.cli.terminal import write


class ExportFormat(StrEnum):
    URIAL = "urial"
    JSON = "json"
    MESSAGES = "messages"


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
        write(output, text)
