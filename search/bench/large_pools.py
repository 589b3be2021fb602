"""How much memory and processor time a strategy's decisions take with a pool or a benchmark of any size.

    python -m search.bench.large_pools --strategies screening optuna_gp --pool 100000 --questions 80

Texts are made of random words; scores are a level for each question, an effect for each demonstration, and noise. Peak
memory is the process's own, the texts included.
"""

import argparse
import random
import resource
import time
from collections import deque
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from evaluators.question import Question
from search.bench.strategy_outcome import STRATEGIES, config_of
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.prompts.demonstration import Demonstration
from search.strategies.make import make_strategy
from search.strategies.strategy import Strategy

_WINDOW = 12
_WORDS = 20_000


def made_material(pool: int, questions: int, words: int, seed: int) -> Material:
    """Demonstrations and questions of random words, frequent ones more often, `words` in an answer."""
    draw = random.Random(seed)  # noqa: S311 -- no cryptography here
    vocabulary = [f"word{number}" for number in range(_WORDS)]
    shares = list(accumulate(1 / (1 + number) for number in range(_WORDS)))

    def text(count: int) -> str:
        return " ".join(draw.choices(vocabulary, cum_weights=shares, k=count))

    return Material(
        rules="rules",
        base=(),
        pool=tuple(Demonstration(f"d{number}", text(12), text(words)) for number in range(pool)),
        search=tuple(Question(f"q{number}", (text(12),)) for number in range(questions)),
        held_out=(),
        digests={},
    )


def made_scorer(space: SearchSpace, seed: int) -> Callable[[Trial], ScoredTrial]:
    """A judge on a scale without ends: question levels spread by 1.5, effects by 0.15, noise by 1."""
    draw = np.random.default_rng(seed)
    effect = dict(zip(space.pool, 0.15 * draw.standard_t(5, size=len(space.pool)), strict=True))
    level = dict(zip(space.questions, 6.3 + 1.5 * draw.normal(size=len(space.questions)), strict=True))

    def score(trial: Trial) -> ScoredTrial:
        names = trial.candidate.demonstrations
        worth = sum(effect[name] for name in names) * max(1, len(names)) ** -0.35
        noise = draw.normal(size=len(trial.questions))
        scores = {name: float(level[name] + worth + noise[at]) for at, name in enumerate(trial.questions)}
        return ScoredTrial(trial, scores, {}, float(np.mean([*scores.values()])))

    return score


def decisions(strategy: Strategy, space: SearchSpace, score: Callable[[Trial], ScoredTrial]) -> list[float]:
    """Run a search to its end; return the processor seconds that each ask, and each tell, took."""
    under_way, seconds = deque([Trial(space.compose(()), space.questions)]), []
    while under_way:
        scored = score(under_way.popleft())
        start = time.process_time()
        strategy.tell(scored)
        seconds.append(time.process_time() - start)
        start = time.process_time()
        under_way.extend(strategy.ask(_WINDOW - len(under_way)))
        seconds.append(time.process_time() - start)
    return seconds


def measure(name: str, arguments: argparse.Namespace) -> str:
    """One line of the table."""
    material = made_material(arguments.pool, arguments.questions, arguments.words, arguments.seed)
    budget = arguments.questions + arguments.evaluations
    space = material.space(config_of(name, SearchSpace((), ("d0",), ("q0",), 0, arguments.most), budget))
    config = config_of(name, space, budget)
    start = time.process_time()
    with TemporaryDirectory() as folder:
        strategy = make_strategy(config, space, arguments.seed, material, Path(folder))
    begun = time.process_time() - start
    seconds = decisions(strategy, space, made_scorer(space, arguments.seed))
    trials = len(seconds) / 2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    cells = [name, f"{arguments.pool:,}", f"{arguments.questions:,}", f"{trials:,.0f}", f"{begun:.1f}"]
    cells += [f"{1000 * sum(seconds) / trials:.1f}", f"{1000 * max(seconds):.0f}", f"{peak:.2f}"]
    return "| " + " | ".join(cells) + " |"


def sizes(program: str, description: str | None, pool: int) -> argparse.Namespace:
    """The strategies and sizes that a benchmark of load is told on its command line.

    Args:
        program: module of the command.
        pool: demonstrations, where it is told nothing.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=["screening"])
    parser.add_argument("--pool", type=int, default=pool, help="demonstrations, N")
    parser.add_argument("--questions", type=int, default=80, help="search questions, Q")
    parser.add_argument("--most", type=int, default=3, help="demonstrations of a set at most, k")
    parser.add_argument("--evaluations", type=int, default=8000, help="answers, the base prompt's not counted")
    parser.add_argument("--words", type=int, default=60, help="of an answer")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """The command."""
    arguments = sizes("search.bench.large_pools", __doc__, 100_000)
    print("| strategy | N | Q | trials | s to begin | ms a trial | longest decision, ms | peak GiB |")
    print("|---|---|---|---|---|---|---|---|")
    for name in arguments.strategies:
        print(measure(name, arguments))


if __name__ == "__main__":
    main()
