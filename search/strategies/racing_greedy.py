"""Greedy rounds, each a race on blocks of questions: whoever is proven worse than the best is asked no further."""

from collections.abc import Sequence

from configs.schema.strategy import RacingGreedyConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.elimination import by_test
from search.strategies.parts.race import Race
from search.strategies.parts.successive_races import Rounds, shuffled_blocks


class RacingGreedy:
    """Every round races the best so far against itself with one demonstration more; when it wins, the search ends."""

    def __init__(self, space: SearchSpace, config: RacingGreedyConfig, seed: int) -> None:
        self._space, self._config = space, config
        self._blocks = shuffled_blocks(space.questions, config.block, seed)
        self._chosen: tuple[str, ...] = ()
        self._eligible = space.pool
        self._round: list[tuple[str, ...]] = []
        self._ended = False
        self._rounds = Rounds(space, self._next_race)

    def _next_race(self, winners: list[Candidate]) -> Race | None:
        incumbent = self._space.compose(self._chosen)
        gained = not self._round or (bool(winners) and winners[0] != incumbent)
        if gained:
            self._chosen = self._space.added(winners[0])
            self._carry_over()
            self._round = self._space.longer(self._chosen, self._eligible)
        if not gained or not self._round:
            self._ended = True
            return None
        incumbent = self._space.compose(self._chosen)
        scores = {incumbent: self._rounds.board.scores(incumbent)}
        contenders = [incumbent] if self._space.allows(self._chosen) else []
        contenders += [self._space.compose(added) for added in self._round]
        return Race(contenders, self._blocks, by_test(self._config.test, self._config.p_value), earlier_scores=scores)

    def _carry_over(self) -> None:
        """A share of the demonstrations stays eligible for the next round: those that did best as the last addition."""
        ranking = self._rounds.board.shrunk_ranking(self._space.compose(()))
        raced = {self._space.compose(added): added[-1] for added in self._round}
        best = [raced[candidate] for candidate in ranking if candidate in raced]
        if best:
            keep = max(self._space.max_added, round(self._config.carry_over * len(best)))
            self._eligible = tuple(name for name in self._eligible if name in set(best[:keep]))

    def ask(self, room: int) -> Sequence[Trial]:
        return self._rounds.ask(room)

    def tell(self, scored: ScoredTrial) -> None:
        self._rounds.tell(scored)

    def planned(self) -> int:
        further = 0
        if not self._ended:
            size = len(self._chosen) + 1 if self._round else 0
            further = (self._space.max_added - size) * (len(self._eligible) + 1)
        return (1 + further) * len(self._space.questions) + self._rounds.answers + self._rounds.left

    def ranking(self) -> Sequence[Candidate]:
        return self._rounds.ranking(self._space.compose(self._chosen))

    def stage(self) -> str:
        """What it is doing, in a few words."""
        return f"{self._rounds.stage}; its winner leads when it is over" if self._rounds.stage else ""
