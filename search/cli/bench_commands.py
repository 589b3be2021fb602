"""The commands that measure the engine itself: bench."""

from pathlib import Path
from typing import Annotated

import typer

from search.cli.terminal import print_out


def w1(
    dspy_python: Annotated[
        Path | None,
        typer.Option(
            metavar="PYTHON", help="Python of an environment with dspy (tested: 3.4.1), to measure it as well."
        ),
    ] = None,
) -> None:
    """Measure what an evaluation costs the engine itself, with a model and a judge that answer at once.

    Prints processor milliseconds an evaluation: cold (computed and durably kept), warm (same process, from the ledger)
    and in a new process.
    """
    from search.bench.overhead import run_w1  # noqa: PLC0415 -- numpy
    from search.bench.tables import w1_table  # noqa: PLC0415 -- rich

    print_out(w1_table(run_w1(dspy_python)))


def overlap(
    seconds: Annotated[float, typer.Option(min=1, help="About how long each of the three passes takes.")] = 30.0,
    latency: Annotated[float, typer.Option(min=0.001, help="Seconds that the judge takes for a verdict.")] = 1.0,
    in_flight: Annotated[int, typer.Option(min=1, help="Calls to the judge at the same time.")] = 64,
    speed: Annotated[float, typer.Option(min=0.01, help="Answers a second, as a share of the judge's verdicts.")] = 1.0,
) -> None:
    """Measure what judging adds to the time of generating, when both run at the same time.

    A judge of a fixed latency beside a generator of a known speed, both made up; loop, ledger and journal are real.
    Prints the time of each alone and of both together.
    """
    from search.bench.overlap import run_overlap  # noqa: PLC0415 -- numpy
    from search.bench.tables import overlap_table  # noqa: PLC0415 -- rich

    print_out(overlap_table(run_overlap(seconds, latency, in_flight, speed)))
