"""A search on a landscape, driven as the coordinator drives it, with its true outcome."""

import time
from collections import deque
from dataclasses import dataclass

from search.bench.landscape import Landscape
from search.candidate import Candidate
from search.space import SearchSpace
from search.strategy import Strategy, Trial


@dataclass(frozen=True, slots=True)
class SimulatedSearch:
    """What came of one.

    Attributes:
        winner, runner_up: of the strategy's ranking; the runner-up is the winner where there is no other.
        evaluations: judged generations, the base prompt's included.
        trials: told, the base prompt's included.
        truth, base_truth: of winner and base prompt on the held-out questions.
        seconds: processor time spent inside the strategy.
    """

    winner: Candidate
    runner_up: Candidate
    evaluations: int
    trials: int
    truth: float
    base_truth: float
    seconds: float


def simulate(strategy: Strategy, landscape: Landscape, space: SearchSpace, window: int = 12) -> SimulatedSearch:
    """Ask, score, tell, in the coordinator's order, with `window` trials under way."""
    base = Trial(space.compose(()), space.questions)
    under_way, told, evaluations, seconds = deque([base]), 0, len(base.questions), 0.0
    while True:
        start = time.process_time()
        while len(under_way) < window and (asked := strategy.ask(window - len(under_way))):
            under_way.extend(asked)
            evaluations += sum(len(trial.questions) for trial in asked)
        seconds += time.process_time() - start
        if not under_way:
            break
        scored = landscape.score(under_way.popleft())
        start = time.process_time()
        strategy.tell(scored)
        seconds += time.process_time() - start
        told += 1
    winner, *others = strategy.ranking()
    return SimulatedSearch(
        winner=winner,
        runner_up=others[0] if others else winner,
        evaluations=evaluations,
        trials=told,
        truth=landscape.truth(winner, landscape.held_out),
        base_truth=landscape.truth(base.candidate, landscape.held_out),
        seconds=seconds,
    )
