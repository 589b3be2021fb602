"""The paper's search: every round tries every demonstration next, on all search questions, and keeps the best mean.

Zhao et al., "Is In-Context Learning Sufficient for Instruction Following in LLMs?", ICLR 2025, section 3.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from configs.schema.strategy import ExhaustiveGreedyConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.leaderboard import Leaderboard


class ExhaustiveGreedy:
    """Deterministic without a seed; of equal means the earlier in the pool wins."""

    def __init__(self, space: SearchSpace, config: ExhaustiveGreedyConfig, seed: int = 0) -> None:  # noqa: ARG002 -- it draws nothing
        self._space = space
        self._config = config
        self._board = Leaderboard()
        self._verdicts: dict[Candidate, dict[str, list[float]]] = {}  # by question
        self._chosen: tuple[str, ...] = ()
        self._accepted: Candidate = space.compose(())
        self._eligible = space.pool
        self._round = space.longer((), self._eligible)
        self._finished = 0
        self._asked = 0
        self._results = -1  # the base prompt, told first, is part of no round

    def ask(self, room: int) -> Sequence[Trial]:
        each, questions = self._verdicts_each, self._space.questions
        some = range(self._asked, min(self._asked + room, len(self._round) * each))
        self._asked += len(some)
        return [Trial(self._space.compose(self._round[at // each]), questions, again=at % each) for at in some]

    @property
    def _verdicts_each(self) -> int:
        """Verdicts on each answer of this round."""
        return self._config.later_verdicts if self._chosen else 1

    def tell(self, scored: ScoredTrial) -> None:
        self._board.tell(self._averaged(scored))
        self._results += 1
        if self._results == len(self._round) * self._verdicts_each:
            self._end_round()

    def _averaged(self, scored: ScoredTrial) -> ScoredTrial:
        """Each score is the mean of all verdicts on its answer so far."""
        if scored.mean is None or self._config.later_verdicts == 1:
            return scored
        verdicts = self._verdicts.setdefault(scored.trial.candidate, {})
        for name, score in scored.scores.items():
            verdicts.setdefault(name, []).append(score)
        return replace(scored, scores={name: fmean(verdicts[name]) for name in scored.scores})

    def _end_round(self) -> None:
        means = {added: self._board.mean(self._space.compose(added)) for added in self._round}
        scored = {added: mean for added, mean in means.items() if mean is not None}
        if not self._chosen and self._config.threshold is not None:
            self._eligible = tuple(added[-1] for added, mean in scored.items() if mean >= self._config.threshold)
        self._finished += len(self._round) * self._verdicts_each
        self._round, self._asked, self._results = [], 0, 0
        best = max(scored, key=scored.__getitem__, default=None)
        if best is None or (self._config.stop_without_gain and not self._gains(scored[best])):
            return
        self._chosen = best
        self._accepted = self._space.compose(best)
        self._round = self._space.longer(best, self._eligible)

    def _gains(self, mean: float) -> bool:
        if not self._space.allows(self._space.added(self._accepted)):
            return True
        accepted = self._board.mean(self._accepted)
        return accepted is None or mean > accepted

    def planned(self) -> int:
        further = range(len(self._chosen) + 1, self._space.max_added)
        later = sum(max(0, len(self._eligible) - size) for size in further) if self._round else 0
        trials = 1 + self._finished + len(self._round) * self._verdicts_each + later * self._config.later_verdicts
        return trials * len(self._space.questions)

    def ranking(self) -> Sequence[Candidate]:
        ranking = [candidate for candidate in self._board.ranking() if self._space.allows(self._space.added(candidate))]
        if self._config.stop_without_gain or self._accepted not in ranking:
            return ranking
        return [self._accepted, *(candidate for candidate in ranking if candidate != self._accepted)]

    def stage(self) -> str:
        """What it is doing, in a few words."""
        size = len(self._chosen or self._space.required) + 1
        words = f"every demonstration is tried as number {size} of at most {self._space.max_added}"
        return words if self._round else ""
