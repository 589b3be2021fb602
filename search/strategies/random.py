"""Random ordered choices, all on the same search questions: the baseline that every search has to beat."""

import random
from collections.abc import Sequence

from configs.schema.strategy import RandomConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.leaderboard import Leaderboard

_TRIES = 10_000  # draws in a row that give nothing new, before a space counts as exhausted


class RandomSearch:
    """Draws the number of chosen demonstrations uniformly, then an ordered choice; never the same twice."""

    def __init__(self, space: SearchSpace, config: RandomConfig, seed: int) -> None:
        self._space = space
        self._board = Leaderboard()
        self._draw = random.Random(seed)  # noqa: S311 -- no cryptography here
        self._sizes = range(max(1, space.min_added, len(space.required)), space.max_added + 1)
        self._free = [name for name in space.pool if name not in space.required]
        self._asked: set[tuple[str, ...]] = {()}
        self._trials = min(config.trials, space.size(space.min_added))

    def ask(self, room: int) -> Sequence[Trial]:
        trials: list[Trial] = []
        while len(trials) < room and len(self._asked) <= self._trials:
            added = self._new()
            if added is None:
                self._trials = len(self._asked) - 1
                break
            self._asked.add(added)
            trials.append(Trial(self._space.compose(added), self._space.questions))
        return trials

    def _new(self) -> tuple[str, ...] | None:
        """A choice nobody has asked for yet; None where none can be found."""
        for _ in range(_TRIES):
            further = self._draw.choice(self._sizes) - len(self._space.required)
            drawn = [*self._space.required, *self._draw.sample(self._free, min(further, len(self._free)))]
            if self._space.required:
                self._draw.shuffle(drawn)
            added = self._space.arrange(drawn)
            if added not in self._asked and self._space.allows(added):
                return added
        return None

    def extend(self, budget: int) -> None:
        """Draw further choices, up to so many trials in all."""
        self._trials = min(budget, self._space.size(self._space.min_added))

    def tell(self, scored: ScoredTrial) -> None:
        self._board.tell(scored)

    def planned(self) -> int:
        return (1 + self._trials) * len(self._space.questions)

    def ranking(self) -> Sequence[Candidate]:
        return self._board.ranking()

    def stage(self) -> str:
        """What it is doing, in a few words."""
        return "random sets are tried"
