"""The engines of two checkouts on the same prompts: `python -m workers.bench.two_checkouts OLD NEW`.

Each checkout answers what `workers.bench.repeats` asks, in a process of its own with its own code, one after the other
in turn; CPU seconds of one thread count. The ratio of the shortest rounds is printed, the median of the paired ratios,
and every answer that differs. The exit status is 1 where greedy answers differ.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from workers.bench import timed_answers
from workers.bench.repeats import MATERIAL, STOP, candidates
from workers.prompt import Decoding

SHOWN = 10  # differing answers


class Checkout:
    """An engine of another commit, in a process of its own."""

    def __init__(self, folder: Path, asked: dict[str, Any]) -> None:
        self.rounds: list[dict[str, Any]] = []
        self._process = subprocess.Popen(  # noqa: S603 - its own file
            [sys.executable, "-P", str(timed_answers.__file__)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell(asked)

    def __enter__(self) -> Checkout:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()

    def answer(self) -> None:
        """Run one round more. Raises ValueError when the checkout's engine ends without an answer."""
        self._tell("go")
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            raise ValueError("a checkout's engine ended without an answer; what it said stands above")
        self.rounds.append(json.loads(line))

    def _tell(self, message: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    @property
    def seconds(self) -> list[float]:
        return [float(round_["seconds"]) for round_ in self.rounds]

    @property
    def answers(self) -> dict[str, list[Any]]:
        return dict(self.rounds[0]["answers"])

    @property
    def is_steady(self) -> bool:
        """Every round said the same."""
        return all(round_["answers"] == self.answers for round_ in self.rounds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="a checkout's folder")
    parser.add_argument("new", type=Path, help="another's")
    parser.add_argument("--trials", type=int, default=60, help="candidates")
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--seeds", type=int, default=1, help="candidates of one seed are decoded together")
    parser.add_argument("--repeats", type=int, default=3, help="rounds of each, in turn")
    parser.add_argument("--questions", type=int, default=32, help="that a candidate is asked, of 32")
    parser.add_argument(
        "--window", type=int, default=10**6, help="candidates under way at most; as many as fit when absent"
    )
    parser.add_argument("--no-drafts", action="store_true", help="where a checkout's engine has them")
    given = parser.parse_args()
    decodings = [
        Decoding(48, temperature=given.temperature, stop=STOP, seed=trial % given.seeds)
        for trial in range(given.trials)
    ]
    asked = {
        "model": str((MATERIAL / "model").resolve()),
        "blocks": [(block.prefix, block.suffixes) for block in candidates(given.trials, given.questions)],
        "decodings": [asdict(decoding) for decoding in decodings],
        "drafts": not given.no_drafts,
        "window": given.window,
    }
    with Checkout(given.old.resolve(), asked) as old, Checkout(given.new.resolve(), asked) as new:
        for _ in range(given.repeats):
            old.answer()
            new.answer()
        differing = compared(old, new)
    return 1 if differing and not given.temperature else 0


def compared(old: Checkout, new: Checkout) -> int:
    """Print what was found. Returns how many answers differ."""
    for name, checkout in (("old", old), ("new", new)):
        spoken = ", ".join(f"{seconds:.2f}" for seconds in checkout.seconds)
        print(f"{name}: {spoken} CPU s{'' if checkout.is_steady else '; its rounds differ from each other'}")
    paired = statistics.median(left / right for left, right in zip(old.seconds, new.seconds, strict=True))
    print(
        f"old / new: {min(old.seconds) / min(new.seconds):.2f} of the shortest rounds, {paired:.2f} in the median round"
    )
    differing = [place for place, answer in old.answers.items() if new.answers.get(place) != answer]
    print(f"{len(differing)} of {len(old.answers):,} answers differ")
    for place in differing[:SHOWN]:
        print(f"  candidate/question {place}:\n    old {old.answers[place]}\n    new {new.answers.get(place)}")
    return len(differing)


if __name__ == "__main__":
    sys.exit(main())
