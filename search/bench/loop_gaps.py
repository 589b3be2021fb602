"""Gaps of a search's event loop: how late answers, verdicts and the ledger are served at the worst.

    python -m search.bench.loop_gaps --strategies screening optuna_tpe --pool 2000 --questions 80

The search is wired as the composition root wires it: real loop, ledger and journal. The model gives an answer every
half millisecond, the judge a noisy score after ten; a task that wants to be woken every two milliseconds notes how much
later it is. That is wall time, to which a busy machine adds; beside it stands the processor time that the loop's thread
has used between two wakes at the most, which is the longest gap on a machine that is free.
"""

import argparse
import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from configs.schema.scoring import ScoringConfig
from evaluators.judge import Verdict
from evaluators.question import Question
from search.bench.fixed_search import run_search
from search.bench.large_pools import made_material, sizes
from search.bench.overlap import SlowJudge, SteadyModel
from search.bench.strategy_outcome import config_of
from search.problem.space import SearchSpace
from search.strategies.make import make_strategy

_EVERY = 0.002  # seconds
_UNSEEN = tuple(Question(f"unseen{number}", (f"what is {number}",)) for number in range(10))


class NoisyJudge(SlowJudge):
    """Scores of mean 5 and spread 1 that only the answer decides, after 10 ms."""

    fingerprint = "noisy judge"

    def __init__(self) -> None:
        super().__init__(latency=0.01, in_flight=64)

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        verdict = await super().judge(question, answers, repeat)
        seed = int.from_bytes(sha256(answers[-1].encode()).digest()[:8])
        return replace(verdict, score=5 + float(np.random.default_rng(seed).normal()))


@dataclass(slots=True)
class Gaps:
    """How late a task was woken, one time after the other.

    Attributes:
        seconds: by which it was too late.
        computed: processor seconds that its thread used meanwhile.
    """

    seconds: list[float] = field(default_factory=list)
    computed: list[float] = field(default_factory=list)

    async def note(self) -> None:
        """Go on until cancelled."""
        while True:
            asleep, used = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_EVERY)
            self.seconds.append(time.perf_counter() - asleep - _EVERY)
            self.computed.append(time.thread_time() - used)


async def measured(name: str, arguments: argparse.Namespace, folder: Path) -> tuple[int, Gaps]:
    """Run one search. Returns its evaluations, and the gaps."""
    material = made_material(arguments.pool, arguments.questions, arguments.words, arguments.seed)
    material = replace(material, held_out=_UNSEEN)
    budget = arguments.questions + arguments.evaluations
    config = config_of(name, SearchSpace((), ("d0",), ("q0",), 0, arguments.most), budget)
    space = material.space(config)
    strategy = make_strategy(config_of(name, space, budget), space, arguments.seed, material, folder)
    model, judge, gaps = SteadyModel(0.0005), NoisyJudge(), Gaps()
    noting = asyncio.create_task(gaps.note())
    files = folder / "ledger.sqlite", folder / "journal.jsonl"
    evaluations = await run_search(files, model, judge, material, space, strategy, ScoringConfig())
    noting.cancel()
    with suppress(asyncio.CancelledError):
        await noting
    return evaluations, gaps


def main() -> None:
    """The command."""
    arguments = sizes("search.bench.loop_gaps", __doc__, 2000)
    heads = "longest gap, ms", "of it computing at the most, ms", "99.9 % of gaps below, ms", "above 100 ms, s in all"
    print(f"| strategy | N | Q | evaluations | {' | '.join(heads)} |\n|{'---|' * 8}")
    for name in arguments.strategies:
        with TemporaryDirectory() as folder:
            evaluations, gaps = asyncio.run(measured(name, arguments, Path(folder)))
        cells = [name, f"{arguments.pool:,}", f"{arguments.questions:,}", f"{evaluations:,}"]
        cells += [f"{1000 * seconds:.0f}" for seconds in (max(gaps.seconds), max(gaps.computed))]
        cells += [f"{1000 * float(np.quantile(gaps.seconds, 0.999)):.0f}"]
        cells += [f"{sum(gap for gap in gaps.seconds if gap > 0.1):.1f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
