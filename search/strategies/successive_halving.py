"""Greedy rounds by successive halving: every round spends the same, half of its contenders leave after every rung.

Karnin, Koren and Somekh, "Almost Optimal Exploration in Multi-Armed Bandits", ICML 2013.
"""

from collections.abc import Sequence
from math import ceil, log2

from configs.schema.strategy import SuccessiveHalvingConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.elimination import by_rank
from search.strategies.parts.race import Block, Race
from search.strategies.parts.successive_races import Rounds, shuffled_blocks


class SuccessiveHalving:
    """Every round extends the best so far, which does not race itself; the best of all rounds by shrunken gain wins."""

    def __init__(self, space: SearchSpace, config: SuccessiveHalvingConfig, seed: int) -> None:
        self._space = space
        self._questions = shuffled_blocks(space.questions, 1, seed)
        left = config.evaluations - len(space.questions)
        self._a_round = left // max(1, space.max_added - len(space.required))
        self._chosen = space.required
        self._ended = False
        self._rounds = Rounds(space, self._next_race)

    def _next_race(self, winners: list[Candidate]) -> Race | None:
        if winners and winners[0] != self._space.compose(()):
            self._chosen = self._space.added(winners[0])
        base = self._space.compose(())
        longer = [self._space.compose((*self._chosen, name)) for name in self._space.pool if self._fits(name)]
        longer = [candidate for candidate in longer if candidate != base]
        if not longer or not winners:
            self._ended = True
            return None
        return Race(longer, self._rungs(len(longer)), by_rank(0.5))

    def _fits(self, name: str) -> bool:
        return self._space.fits((*self._chosen, name))

    def _rungs(self, contenders: int) -> list[Block]:
        """Questions of each rung: about an equal part of the round's budget each, at least one question."""
        rungs = max(1, ceil(log2(contenders)))
        blocks, done = [], 0
        for rung in range(rungs):
            inside = ceil(contenders / 2**rung)
            upto = min(len(self._questions), done + max(1, self._a_round // (rungs * inside)))
            blocks.append(tuple(name for block in self._questions[done:upto] for name in block))
            done = upto
        return [block for block in blocks if block]

    def ask(self, room: int) -> Sequence[Trial]:
        return self._rounds.ask(room)

    def tell(self, scored: ScoredTrial) -> None:
        self._rounds.tell(scored)

    def planned(self) -> int:
        contenders = max(1, len(self._space.pool))
        a_round = contenders * sum(len(rung) for rung in self._rungs(contenders))
        rounds = 0 if self._ended else self._space.max_added - len(self._chosen)
        return len(self._space.questions) + self._rounds.answers + self._rounds.left + rounds * a_round

    def ranking(self) -> Sequence[Candidate]:
        return self._rounds.ranking()

    def stage(self) -> str:
        """What it is doing, in a few words."""
        return self._rounds.stage
