"""Random ordered choices, all on the same guiding questions: the baseline that every search has to beat."""

import random
from collections.abc import Sequence
from math import perm

from configs.schema import RandomConfig
from search.candidate import Candidate
from search.leaderboard import Leaderboard
from search.space import SearchSpace
from search.strategy import ScoredTrial, Trial


class RandomSearch:
    """Draws the number of added demonstrations uniformly, then an ordered choice; never the same twice."""

    def __init__(self, space: SearchSpace, config: RandomConfig, seed: int) -> None:
        self._space = space
        self._board = Leaderboard()
        self._draw = random.Random(seed)  # noqa: S311 -- no cryptography here
        self._sizes = range(min(config.min_demonstrations, space.max_added), space.max_added + 1)
        self._asked: set[tuple[str, ...]] = {()}
        possible = sum(perm(len(space.pool), size) for size in self._sizes if size > 0)
        self._trials = min(config.trials, possible)

    def ask(self, room: int) -> Sequence[Trial]:
        trials: list[Trial] = []
        while len(trials) < room and len(self._asked) <= self._trials:
            added = tuple(self._draw.sample(self._space.pool, self._draw.choice(self._sizes)))
            if added not in self._asked:
                self._asked.add(added)
                trials.append(Trial(self._space.compose(added), self._space.questions))
        return trials

    def tell(self, scored: ScoredTrial) -> None:
        self._board.tell(scored)

    def planned(self) -> int:
        return 1 + self._trials

    def ranking(self) -> Sequence[Candidate]:
        return self._board.ranking()
