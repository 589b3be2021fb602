"""A search played through with made-up scores, to learn what it would ask for."""

import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.split import HeldOut
from search.problem.trial import ScoredTrial, Trial
from search.running.finalists import final_trials, finalists
from search.strategies.strategy import Strategy


@dataclass(slots=True)
class AskedQuestions:
    """What is asked of one candidate; everything once, since the ledger answers repetitions.

    Attributes:
        judged: questions, and which time the judge is asked about the answer (0 for the first).
        screened: questions whose answer the screening judge scores.
    """

    judged: set[tuple[str, int]] = field(default_factory=set)
    screened: set[str] = field(default_factory=set)

    @property
    def answered(self) -> list[str]:
        """Questions that the model answers, sorted."""
        return sorted({name for name, _ in self.judged} | self.screened)

    def add(self, trial: Trial) -> None:
        """Take a trial of this candidate."""
        if trial.screening:
            self.screened.update(trial.questions)
        else:
            self.judged.update((name, trial.again) for name in trial.questions)


Asked = Mapping[Candidate, AskedQuestions]


def rehearse(
    strategy: Strategy,
    space: SearchSpace,
    held_out: HeldOut,
    window: int,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Asked | None:
    """What this strategy asks for when scores are drawn at random, held-out questions included. Real scores would lead
    it elsewhere; how much it asks for depends on them little or, for most strategies, not at all.

    Args:
        strategy: new; it is of no use afterwards.
        seconds: the most that this may take; then there is no answer.
    """
    ends, draw = clock() + seconds, random.Random(0)  # noqa: S311 -- no secret
    asked: dict[Candidate, AskedQuestions] = {}
    under_way = deque([Trial(space.compose(()), space.questions)])
    while under_way:
        trial = under_way.popleft()
        asked.setdefault(trial.candidate, AskedQuestions()).add(trial)
        strategy.tell(_made_up(trial, draw))
        while (room := window - len(under_way)) > 0 and (trials := strategy.ask(room)):
            under_way.extend(trials)
        if clock() > ends:
            return None
    for trial in final_trials(finalists(strategy.ranking(), space), held_out):
        asked.setdefault(trial.candidate, AskedQuestions()).add(trial)
    return asked


def _made_up(trial: Trial, draw: random.Random) -> ScoredTrial:
    scores = {name: draw.gauss(6.0, 1.0) for name in trial.questions}
    return ScoredTrial(trial, scores, {}, sum(scores.values()) / len(scores))
