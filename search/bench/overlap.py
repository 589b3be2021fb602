"""What judging adds to the time of generating, when both go on at the same time.

A judge of a fixed latency with so many calls in flight, beside a generator that gives an answer after the other at a
known speed: each alone (the other one instant), then both together. Where they overlap perfectly, together takes as
long as the slower one alone.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from evaluators.judge import Verdict
from evaluators.question import Question
from search.bench.fixed_search import ANSWER, run_round
from workers.activity import WorkersActivity
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock
from workers.text_model import ModelCard
from workers.usage import Usage

QUESTIONS = 80


@dataclass(frozen=True, slots=True)
class Timing:
    """One pass.

    Attributes:
        seconds: of wall time.
        evaluations: made in it.
        at_once: calls of the judge under way at the same time, at most.
    """

    name: str
    seconds: float
    evaluations: int
    at_once: int


@dataclass(frozen=True, slots=True)
class OverlapTiming:
    """All passes: the generator alone, the judge alone, both together."""

    generator: Timing
    judge: Timing
    both_at_once: Timing

    @property
    def ratio(self) -> float:
        """Time together, as a share of the slower one's alone; 1 is perfect."""
        return self.both_at_once.seconds / max(self.generator.seconds, self.judge.seconds)


class SteadyModel:
    """One worker: an answer every so many seconds, block after block.

    Args:
        seconds_each: 0 answers at once.
    """

    def __init__(self, seconds_each: float) -> None:
        self._seconds_each = seconds_each
        self._worker = asyncio.Lock()
        self._free_at = 0.0

    async def start(self) -> ModelCard:
        return ModelCard("steady", 1_000_000, "none")

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        return tuple(len(block.prompt(index)) for index in range(len(block.suffixes)))

    async def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:  # noqa: ARG002 -- the protocol's
        async with self._worker:
            for index in range(len(block.suffixes)):
                await self._work()
                mark = sha256(block.prompt(index).encode()).hexdigest()[:16]  # answers that differ share no verdict
                yield index, Completion(f"{ANSWER} {mark}", 1000, 300, "stop")

    async def score(self, block: PromptBlock, continuations: Continuations) -> AsyncIterator[tuple[int, Likelihood]]:
        for index in range(len(block.suffixes)):
            yield index, Likelihood(-1.0, len(continuations.texts[index]))

    def activity(self) -> WorkersActivity:
        return WorkersActivity(alive=1, busy=int(self._worker.locked()))

    async def close(self) -> None:
        return None

    async def _work(self) -> None:
        """Keeps its pace however late it is woken; time in which it had nothing to do is lost."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now - self._seconds_each) + self._seconds_each
        await asyncio.sleep(max(0.0, self._free_at - now))


class SlowJudge:
    """A service of a fixed latency.

    Attributes:
        at_once: calls under way at the same time, at most so far.
    """

    fingerprint = "slow judge"

    def __init__(self, latency: float, in_flight: int) -> None:
        self.at_once = 0
        self._latency = latency
        self._places = asyncio.Semaphore(in_flight)
        self._under_way = 0

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:  # noqa: ARG002 -- the protocol's
        return None

    async def start(self) -> None:
        return None

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:  # noqa: ARG002 -- the protocol's
        async with self._places:
            self._under_way += 1
            self.at_once = max(self.at_once, self._under_way)
            await asyncio.sleep(self._latency)
            self._under_way -= 1
        return Verdict(float(len(answers[-1]) % 10), usage=Usage(1, 500, 0, 200))

    async def close(self) -> None:
        return None


def run_overlap(
    seconds: float = 30.0, latency: float = 1.0, in_flight: int = 64, speed: float = 1.0, questions: int = QUESTIONS
) -> OverlapTiming:
    """Three passes of about this many seconds each.

    Args:
        latency: of the judge, in seconds.
        speed: of the generator, as a share of the judge's.
    """
    judged_a_second = in_flight / latency
    each = 1 / (judged_a_second * speed)
    blocks = round(seconds * judged_a_second * min(1.0, speed) / questions)
    size = max(1, blocks - 1), questions  # the base prompt is one more
    return OverlapTiming(
        generator=_pass("generator alone", size, each, 0.0, in_flight),
        judge=_pass("judge alone", size, 0.0, latency, in_flight),
        both_at_once=_pass("together", size, each, latency, in_flight),
    )


def _pass(name: str, size: tuple[int, int], each: float, latency: float, in_flight: int) -> Timing:
    async def conduct(folder: Path) -> Timing:
        model, judge = SteadyModel(each), SlowJudge(latency, in_flight)
        began = time.perf_counter()
        evaluations = await run_round(folder, name, model, judge, *size)
        return Timing(name, time.perf_counter() - began, evaluations, judge.at_once)

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(conduct(Path(folder)))
