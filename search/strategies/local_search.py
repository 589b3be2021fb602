"""Local search: neighbours of the best set so far race against it; it starts from a set of yours or the base prompt."""

import random
from collections.abc import Sequence

from configs.schema.strategy import LocalSearchConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.elimination import by_test
from search.strategies.parts.race import Race
from search.strategies.parts.successive_races import Rounds, shuffled_blocks

_TRIES = 30  # draws for one neighbour that has not raced yet


class LocalSearch:
    """A neighbour has one demonstration exchanged, inserted, removed or moved. Races go on until the budget is spent or
    `patience` of them in a row changed nothing."""

    def __init__(self, space: SearchSpace, config: LocalSearchConfig, seed: int) -> None:
        self._space, self._config = space, config
        self._draw = random.Random(seed)  # noqa: S311 -- no cryptography here
        self._blocks = shuffled_blocks(space.questions, config.block, seed)
        self._trials = self._affordable(config.evaluations)
        self._chosen = space.arrange(config.start)
        self._tried = {space.compose(())}
        self._in_vain = 0
        self._ended = False
        self._rounds = Rounds(space, self._next_race)

    def _affordable(self, evaluations: int) -> int:
        return max(1, (evaluations - len(self._space.questions)) // self._config.block)

    def extend(self, budget: int) -> None:
        """Race on from the best set so far; patience begins anew."""
        self._trials = self._affordable(budget)
        self._in_vain, self._ended = 0, False
        self._rounds.go_on([self._space.compose(self._chosen)])

    def _next_race(self, winners: list[Candidate]) -> Race | None:
        incumbent = self._space.compose(self._chosen)
        first = not self._rounds.asked
        if not first:
            stayed = not winners or winners[0] == incumbent
            self._in_vain = self._in_vain + 1 if stayed else 0
            self._chosen = self._chosen if stayed else self._space.added(winners[0])
        incumbent = self._space.compose(self._chosen)
        left = self._trials - self._rounds.asked
        neighbours = self._neighbours(min(self._config.neighbours, left - 1))
        if left < 2 or not neighbours or self._in_vain >= self._config.patience:
            self._ended = True
            return None
        contenders = [incumbent, *neighbours]
        if first and incumbent != winners[0]:
            contenders.insert(0, winners[0])
        scores = {candidate: self._rounds.board.scores(candidate) for candidate in contenders[:2]}
        blocks = self._blocks[: max(1, left // len(contenders))]
        return Race(contenders, blocks, by_test(self._config.test, self._config.p_value), earlier_scores=scores)

    def _neighbours(self, count: int) -> list[Candidate]:
        neighbours: list[Candidate] = []
        for _ in range(_TRIES * max(0, count)):
            changed = self._changed()
            candidate = self._space.compose(changed)
            if changed and self._space.allows(changed) and candidate not in self._tried:
                self._tried.add(candidate)
                neighbours.append(candidate)
            if len(neighbours) == count:
                break
        return neighbours

    def _changed(self) -> tuple[str, ...]:
        """One step from the best set so far."""
        chosen = list(self._chosen)
        kind = self._draw.choice(("exchange", "insert", "remove", "move")) if chosen else "insert"
        if not chosen:
            chosen = list(self._space.required)
        missing = self._space.min_added - len(chosen) - 1
        if kind == "insert" and missing > 0:
            others = [name for name in self._space.pool if name not in chosen]
            chosen += self._draw.sample(others, min(missing, len(others)))
        if kind in ("exchange", "remove", "move"):
            moved = chosen.pop(self._draw.randrange(len(chosen)))
        if kind in ("exchange", "insert"):
            moved = self._draw.choice(self._space.pool)
        if kind != "remove":
            chosen.insert(self._draw.randint(0, len(chosen)), moved)
        return self._space.arrange(chosen) if len(set(chosen)) == len(chosen) else ()

    def ask(self, room: int) -> Sequence[Trial]:
        return self._rounds.ask(room)

    def tell(self, scored: ScoredTrial) -> None:
        self._rounds.tell(scored)

    def planned(self) -> int:
        asked, most = self._rounds.answers, self._trials * self._config.block
        further = asked if self._ended else max(most, asked + self._rounds.left)
        return len(self._space.questions) + further

    def ranking(self) -> Sequence[Candidate]:
        return self._rounds.ranking(self._space.compose(self._chosen))

    def stage(self) -> str:
        """What it is doing, in a few words."""
        return f"{self._rounds.stage}; its winner leads when it is over" if self._rounds.stage else ""
