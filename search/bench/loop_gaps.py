"""Gaps of a search's event loop: how late answers, verdicts and the ledger are served at the worst.

    python -m search.bench.loop_gaps --strategies screening optuna_tpe --pool 2000 --questions 80

The search is wired as the composition root wires it: real loop, ledger and journal. The model gives an answer every
half millisecond, the judge a noisy score after ten; a task that wants to be woken every two milliseconds notes how much
later it is. Wall time: a busy machine adds to it.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
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
    """Seconds by which a task was woken too late, one after the other."""

    seconds: list[float] = field(default_factory=list)

    async def note(self) -> None:
        """Go on until cancelled."""
        while True:
            asleep = time.perf_counter()
            await asyncio.sleep(_EVERY)
            self.seconds.append(time.perf_counter() - asleep - _EVERY)


async def measured(name: str, arguments: argparse.Namespace, folder: Path) -> tuple[int, Sequence[float]]:
    """Run one search. Returns its evaluations, and the gaps in seconds."""
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
    return evaluations, gaps.seconds


def main() -> None:
    """The command."""
    arguments = sizes("search.bench.loop_gaps", __doc__, 2000)
    print("| strategy | N | Q | evaluations | longest gap, ms | 99.9 % of gaps below, ms | above 100 ms, s in all |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.strategies:
        with TemporaryDirectory() as folder:
            evaluations, gaps = asyncio.run(measured(name, arguments, Path(folder)))
        cells = [name, f"{arguments.pool:,}", f"{arguments.questions:,}", f"{evaluations:,}"]
        cells += [f"{1000 * max(gaps):.0f}", f"{1000 * float(np.quantile(gaps, 0.999)):.0f}"]
        cells += [f"{sum(gap for gap in gaps if gap > 0.1):.1f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
