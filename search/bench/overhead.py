"""W1: what the engine itself costs, with a model and a judge that answer at once and everything on disk.

A greedy round over a pool of 100: candidates of 3 fixed demonstrations and 1 more, answers of about 1,200 characters,
80 questions each. Three passes: cold (computed and kept), warm (the same process, from the ledger), new (another
process, from the ledger). CPU time is compared, not wall time, so that a busy machine matters less; both systems run in
the same call, one after the other.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from configs.errors import InputError
from evaluators.judge import Verdict
from evaluators.question import Question
from search.bench.fixed_search import ANSWER, run_round
from workers.activity import WorkersActivity
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock
from workers.text_model import ModelCard

CANDIDATES, QUESTIONS = 100, 80


@dataclass(frozen=True, slots=True)
class OverheadPass:
    """One pass over all evaluations.

    Attributes:
        cpu_ms: processor time of this process an evaluation, in milliseconds, all threads.
        per_second: evaluations a second of wall time.
        calls: model calls that were made.
        disk_bytes: of ledger and journal, an evaluation.
    """

    system: str
    name: str
    evaluations: int
    cpu_ms: float
    per_second: float
    calls: int
    disk_bytes: float


class InstantModel:
    """Says the same at once."""

    def __init__(self) -> None:
        self.calls = 0

    async def start(self) -> ModelCard:
        return ModelCard("instant", 1_000_000, "none")

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        return tuple(len(block.prompt(index)) for index in range(len(block.suffixes)))

    async def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:  # noqa: ARG002 -- the protocol's
        for index in range(len(block.suffixes)):
            self.calls += 1
            yield index, Completion(f"{ANSWER} {block.suffixes[index][:40]}", 1000, 300, "stop")

    async def score(self, block: PromptBlock, continuations: Continuations) -> AsyncIterator[tuple[int, Likelihood]]:
        for index in range(len(block.suffixes)):
            yield index, Likelihood(-1.0, len(continuations.texts[index]))

    def activity(self) -> WorkersActivity:
        return WorkersActivity()

    async def close(self) -> None:
        return None


class InstantJudge:
    """Scores by length at once."""

    fingerprint = "instant judge"

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:  # noqa: ARG002 -- the protocol's
        return None

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:  # noqa: ARG002 -- the protocol's
        return Verdict(len(answers[-1]) / 2000)

    async def start(self) -> None:
        return None

    async def close(self) -> None:
        return None


def run_w1(dspy_python: Path | None = None) -> list[OverheadPass]:
    """All passes of ours, then of DSPy where the Python of an environment that has it is given."""
    with tempfile.TemporaryDirectory() as folder:
        passes = [_pass("cold", Path(folder)), _pass("warm", Path(folder)), _in_new_process(Path(folder))]
    if dspy_python is not None:
        passes += _dspy(dspy_python)
    return passes


def _pass(name: str, folder: Path) -> OverheadPass:
    model = InstantModel()
    wall, cpu = time.perf_counter(), _cpu_seconds()
    evaluations = asyncio.run(run_round(folder, name, model, InstantJudge(), CANDIDATES, QUESTIONS))
    wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
    disk = sum(file.stat().st_size for file in (folder / "ledger.sqlite", folder / f"{name}.jsonl"))
    return OverheadPass(
        system="demosearch",
        name=name,
        evaluations=evaluations,
        cpu_ms=1000 * cpu / evaluations,
        per_second=evaluations / wall,
        calls=model.calls,
        disk_bytes=disk / evaluations,
    )


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _in_new_process(folder: Path) -> OverheadPass:
    return OverheadPass(**_printed([sys.executable, "-m", "search.bench.overhead", str(folder)]))


def _dspy(python: Path) -> list[OverheadPass]:
    script = Path(__file__).with_name("overhead_dspy.py")
    with tempfile.TemporaryDirectory() as cache:
        passes = [_printed([str(python), str(script), cache, name]) for name in ("cold+warm", "new")]
    return [OverheadPass(**values) for answer in passes for values in answer["passes"]]


def _printed(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own scripts
    if done.returncode != 0:
        raise InputError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


if __name__ == "__main__":
    print(json.dumps(asdict(_pass("new", Path(sys.argv[1])))))
