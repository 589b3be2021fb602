"""What the generation benchmark may be told, and the runs that follow from it."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from workers.bench import suite
from workers.bench.contenders import CONTENDERS
from workers.bench.suite import AGREEMENT, DEFAULTS, SuiteRun
from workers.bench.workload import SIZES, GenerationWorkload


def read_arguments(description: str | None) -> argparse.Namespace:
    """The options of the command line, completed with the device's defaults; ends the process where they are wrong."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], help="float32 on a CPU, else bfloat16")
    parser.add_argument("--model", choices=list(SIZES), help="shape; small on a CPU, 8b on a GPU when absent")
    parser.add_argument("--methods", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--prefix", type=int, nargs="+", help="tokens all prompts share; one comparison each")
    parser.add_argument("--questions", type=int, help="prompts, with 40 to 60 tokens of their own")
    parser.add_argument("--new", type=int, help="tokens generated behind each")
    parser.add_argument("--blocks", type=int, help="only this: so many small blocks one after the other and together")
    parser.add_argument("--sweep", choices=["prefix", "questions"], nargs="+", help="along one axis, or both in turn")
    parser.add_argument("--batch", type=int, help="prompts at a time for plain and expanded; what fits when absent")
    parser.add_argument("--references", type=int, help="prompts also answered one at a time")
    parser.add_argument(
        "--skip-above", type=float, metavar="SECONDS", help="leave out single runs forecast to be longer"
    )
    parser.add_argument("--minutes", type=float, help="start nothing that is forecast to end later; 9 on a GPU")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what is found, after every run")
    parser.add_argument("--markdown", action="store_true", help="print a table for LOG.md at the end")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no GPU here")
    return _completed(arguments)


def _completed(arguments: argparse.Namespace) -> argparse.Namespace:
    """What was not said takes the device's default."""
    defaults = DEFAULTS[arguments.device]
    answers = {
        "dtype": "bfloat16" if arguments.device == "cuda" else "float32",
        "model": defaults.size,
        "skip_above": defaults.too_long,
        "minutes": defaults.minutes,
        "references": defaults.references,
    }
    for name, value in answers.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    return arguments


def runs_of(arguments: argparse.Namespace) -> list[SuiteRun]:
    """The runs that these options ask for, the most important first."""
    defaults, methods = DEFAULTS[arguments.device], arguments.methods
    usual = defaults.main[0] if arguments.prefix else defaults.swept
    questions, new = arguments.questions or usual.questions, arguments.new or usual.new
    runs = []
    if arguments.prefix:
        runs += suite.compared(
            tuple(GenerationWorkload(prefix, questions, new) for prefix in arguments.prefix), methods
        )
    if arguments.sweep:
        runs += suite.swept(arguments.sweep, GenerationWorkload(usual.prefix, questions, new), methods)
    runs = runs or suite.everything(defaults, methods)
    return [run for run in runs if run.method != AGREEMENT or arguments.references]
