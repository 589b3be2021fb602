"""Simulate searches among faults: `--seeds 200` finds, `--seed N --trace` replays."""

import argparse
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from warnings import filterwarnings

from rich.console import Console
from rich.progress import Progress

from search.bench.faults.simulation import SimulatedFaults, simulate


def main() -> None:
    """Simulate, and name each seed with which an invariant does not hold; exit 1 if there is any."""
    parser = argparse.ArgumentParser(prog="python -m search.bench.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes that share them")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--trace", action="store_true", help="print every step, write and fault of it")
    chosen = parser.parse_args()
    filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)  # a killed process leaves some
    if chosen.seed is not None:
        replay(chosen.seed, trace=chosen.trace)
        return
    seeds = range(chosen.start, chosen.start + chosen.seeds)
    held, broken = list[SimulatedFaults](), list[str]()
    is_seen = sys.stdout.isatty()  # then what is printed must stand above the bar; else it is not the bar's to take
    with (
        ProcessPoolExecutor(chosen.jobs) as processes,
        Progress(console=Console(stderr=True), redirect_stdout=is_seen) as bar,
    ):
        for ended in bar.track(processes.map(outcome, seeds, chunksize=5), len(seeds), description="seeds"):
            if isinstance(ended, str):
                print(ended, flush=True)
                broken.append(ended)
            else:
                held.append(ended)
    print(summary(held))
    sys.exit(bool(broken))


def outcome(seed: int) -> SimulatedFaults | str:
    """What a seed goes through; or the invariant that does not hold, and the command that replays it."""
    try:
        with TemporaryDirectory(dir=_memory()) as folder:
            return simulate(seed, Path(folder))
    except Exception as error:
        broken = f"seed {seed}: {type(error).__name__}: {error}"
        return f"{broken}\n  replay: python -m search.bench.faults --seed {seed} --trace"


def replay(seed: int, *, trace: bool) -> None:
    """Go through a seed again. Raises what it finds."""
    lines: list[str] = []  # a full disk may be simulated, on which nothing can be printed
    with TemporaryDirectory(dir=_memory()) as folder:
        try:
            simulated = simulate(seed, Path(folder), say=lines.append)
        finally:
            sys.stdout.writelines(f"{line}\n" for line in lines if trace)
    print(summary([simulated]))


def _memory() -> Path | None:
    """A disk in memory, if there is one: nothing that is simulated outlives the process."""
    memory = Path("/dev/shm")  # noqa: S108 -- as above
    return memory if memory.is_dir() else None


def summary(runs: list[SimulatedFaults]) -> str:
    """What all of these went through, in a sentence."""
    ends = Counter[str]()
    for run in runs:
        ends += run.ends
    billed, lost = sum(run.billed for run in runs), sum(run.lost for run in runs)
    how = ", ".join(f"{count:,} {end}" for end, count in ends.most_common())
    return (
        f"{len(runs):,} seeds hold, in {sum(ends.values()):,} processes ({how}); "
        f"of {billed:,} calls {lost:,} were lost in flight and asked again"
    )


if __name__ == "__main__":
    main()
