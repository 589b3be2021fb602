"""A search on a landscape, driven as the coordinator drives it, with its true outcome."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from configs.schema.scoring import ScoringConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.statistics.certainty import Certainty
from search.strategies.strategy import Strategy

MIN_WIN_PROBABILITY, WINDOW = ScoringConfig().min_win_probability, 12


class Judged(Protocol):
    """What scores the trials of a simulated search, and knows the truth."""

    @property
    def held_out(self) -> tuple[str, ...]:
        """Names of the held-out questions."""
        ...

    def score(self, trial: Trial, *, moment: float) -> ScoredTrial:
        """What the judge says, asked at this moment of the search, in [0, 1]."""
        ...

    def truth(self, candidate: Candidate, questions: Sequence[str]) -> float:
        """Mean score over these questions without the judge's noise."""
        ...


@dataclass(frozen=True, slots=True)
class SimulatedSearch:
    """What came of one.

    Attributes:
        best: the first of the strategy's ranking.
        winner: the same, or the base prompt where too little says that it is better.
        win_probability: that it is, in [0, 1].
        held_out: what the judge said of winner and base prompt on held-out questions, by question.
        evaluations: judged generations, the base prompt's included; those that a screening judge scored are not.
        trials: told, the base prompt's included.
        found_truth, truth, base_truth: of `best`, winner and base prompt on the held-out questions.
        seconds: processor time spent inside the strategy.
        under_way: trials that others worked on while one was told, on average.
        drift: how far the judge's level is said to have moved, in points; 0 where it is not said to have.
    """

    best: Candidate
    winner: Candidate
    win_probability: float
    held_out: Mapping[Candidate, Mapping[str, float]]
    evaluations: int
    trials: int
    found_truth: float
    truth: float
    base_truth: float
    seconds: float
    under_way: float
    drift: float


def simulate(
    strategy: Strategy,
    landscape: Judged,
    space: SearchSpace,
    window: int = WINDOW,
    min_win_probability: float = MIN_WIN_PROBABILITY,
) -> SimulatedSearch:
    """Ask, score, tell, in the coordinator's order, with `window` trials under way; `min_win_probability` as in the
    scoring config."""
    base = Trial(space.compose(()), space.questions)
    certainty = Certainty(space, landscape.held_out)
    under_way, finished, evaluations, seconds, waiting = deque([base]), 0, len(base.questions), 0.0, 0
    while True:
        start = time.process_time()
        while len(under_way) < window and (asked := strategy.ask(window - len(under_way))):
            under_way.extend(asked)
            evaluations += sum(len(trial.questions) for trial in asked if not trial.screening)
        seconds += time.process_time() - start
        if not under_way:
            break
        moment = min(1.0, evaluations / max(1, strategy.planned()))
        scored = landscape.score(under_way.popleft(), moment=moment)
        if not scored.trial.screening:
            certainty.tell(scored)
        start = time.process_time()
        strategy.tell(scored)
        seconds += time.process_time() - start
        finished += 1
        waiting += len(under_way)
    best = strategy.ranking()[0]
    trials = [Trial(candidate, landscape.held_out) for candidate in dict.fromkeys([best, base.candidate])]
    finals = [landscape.score(trial, moment=1.0) for trial in trials]
    for final in finals:
        certainty.tell(final)
    win_probability = certainty.probability_better(best)
    winner = best if win_probability >= min_win_probability else base.candidate
    return SimulatedSearch(
        best=best,
        winner=winner,
        win_probability=win_probability,
        held_out={final.trial.candidate: final.scores for final in finals},
        evaluations=evaluations,
        trials=finished,
        found_truth=landscape.truth(best, landscape.held_out),
        truth=landscape.truth(winner, landscape.held_out),
        base_truth=landscape.truth(base.candidate, landscape.held_out),
        seconds=seconds,
        under_way=waiting / finished,
        drift=certainty.drift(),
    )
