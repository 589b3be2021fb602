"""Arguments and flags that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

RunDirectory = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, as `run` prints it.")]
ConfigOrRuns = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="CONFIG", help="A YAML file, or a preset's name such as `evaluate_quickstart`; with --from, more runs."
    ),
]
Winners = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        metavar="RUN",
        help="Compare what this search has found with its base prompt, instead of a CONFIG. Repeatable.",
    ),
]
Prompts = Annotated[
    list[str] | None,
    typer.Option(
        "--prompt",
        metavar="NAME=PATH",
        help="One more variant, or another file for one of the config's; no PATH for no prompt. Repeatable.",
    ),
]
NewDirectory = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where to keep the run; `runs/CONFIG-TIME` when not given.")
]
PayAgain = Annotated[
    bool,
    typer.Option(
        "--pay-again",
        help="Continue although the ledger has lost answers or verdicts: pay for them a second time.",
    ),
]
Reuse = Annotated[
    bool | None,
    typer.Option(
        "--reuse/--no-reuse",
        help="Reuse what other runs in the same folder have paid for, or pay for everything; by default as "
        "`reuse_folder` says.",
        show_default=False,
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
    typer.Option(metavar="RUN", help="For --dry-run: an earlier run; expect its lengths and its speed."),
]
TokensPerSecond = Annotated[
    float | None,
    typer.Option(metavar="N", min=1e-9, help="For --dry-run: new tokens a second, all workers together."),
]
AnswerTokens = Annotated[
    float | None,
    typer.Option(metavar="N", min=1, help="For --dry-run: mean tokens of an answer, where nothing was measured."),
]
VerdictTokens = Annotated[
    float | None,
    typer.Option(metavar="N", min=1, help="For --dry-run: mean tokens of a verdict, where nothing was measured."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]


def setting(example: str) -> Any:
    """`--set`, explained by a knob that the command has and lets one change."""
    return typer.Option("--set", metavar="KNOB=VALUE", help=f"Override a knob, e.g. `{example}`. Repeatable.")
