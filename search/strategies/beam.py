"""Beam search: the best few of every round are extended together, and race."""

from collections.abc import Sequence

from configs.schema.strategy import BeamConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.elimination import by_test
from search.strategies.parts.race import Race
from search.strategies.parts.successive_races import Rounds, shuffled_blocks


class Beam:
    """Greedy rounds that keep `width` sets from round to round."""

    def __init__(self, space: SearchSpace, config: BeamConfig, seed: int) -> None:
        self._space, self._config = space, config
        self._blocks = shuffled_blocks(space.questions, config.block, seed)
        self._size = len(space.required)
        self._ended = False
        self._rounds = Rounds(space, self._next_race)

    def _next_race(self, winners: list[Candidate]) -> Race | None:
        starts = [self._space.added(winner) or self._space.required for winner in winners]
        base = self._space.compose(())
        longer = [
            self._space.compose((*start, name))
            for start in starts
            for name in self._space.pool
            if self._space.fits((*start, name))
        ]
        contenders = list(dict.fromkeys(candidate for candidate in longer if candidate != base))
        if not contenders:
            self._ended = True
            return None
        self._size += 1
        rule = by_test(self._config.test, self._config.p_value, self._config.width)
        return Race(contenders, self._blocks, rule, winners=self._config.width)

    def ask(self, room: int) -> Sequence[Trial]:
        return self._rounds.ask(room)

    def tell(self, scored: ScoredTrial) -> None:
        self._rounds.tell(scored)

    def planned(self) -> int:
        rounds = 0 if self._ended else self._space.max_added - self._size
        further = rounds * self._config.width * len(self._space.pool)
        return (1 + further) * len(self._space.questions) + self._rounds.answers + self._rounds.left

    def ranking(self) -> Sequence[Candidate]:
        return self._rounds.ranking()

    def stage(self) -> str:
        """What it is doing, in a few words."""
        return self._rounds.stage
