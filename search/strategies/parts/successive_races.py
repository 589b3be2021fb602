"""Races one after the other: what racing strategies have in common."""

import random
from collections.abc import Callable, Sequence

from configs.plural import show_many
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.leaderboard import Leaderboard
from search.strategies.parts.race import Block, Race

NextRace = Callable[[list[Candidate]], Race | None]


class Rounds:
    """A strategy made of races.

    Args:
        next_race: the next race, given the winners of the one before (at first the base prompt); None at the end.
    """

    def __init__(self, space: SearchSpace, next_race: NextRace) -> None:
        self.board = Leaderboard()
        self._space, self._base = space, space.compose(())
        self._next_race = next_race
        self._race: Race | None = None
        self._begun = False
        self._asked = self._answers = 0

    @property
    def asked(self) -> int:
        """Trials so far, the base prompt's not counted."""
        return self._asked

    @property
    def answers(self) -> int:
        """Answers asked for so far, the base prompt's not counted."""
        return self._answers

    @property
    def left(self) -> int:
        """Answers that the race under way may still ask for, at most."""
        return self._race.left() if self._race else 0

    @property
    def stage(self) -> str:
        """The race under way, in a few words; "" where there is none."""
        return f"{show_many(self._race.inside, 'candidate')} in the race under way" if self._race else ""

    def ask(self, room: int) -> Sequence[Trial]:
        """Ask for at most `room` trials of the race under way."""
        trials = self._race.ask(room) if self._race else []
        self._asked += len(trials)
        self._answers += sum(len(trial.questions) for trial in trials)
        return trials

    def tell(self, scored: ScoredTrial) -> None:
        """Take a result, and start the next race when this one is over."""
        self.board.tell(scored)
        if not self._begun:
            self._begun = True
            self.go_on([self._base])
        elif self._race is not None:
            self._race.tell(scored)
            if self._race.over:
                self.go_on(self._race.winners())

    def go_on(self, winners: list[Candidate]) -> None:
        """Start the next race after the last one has ended, from these."""
        self._race = self._next_race(winners)
        while self._race is not None and self._race.over:
            self._race = self._next_race(self._race.winners())

    def ranking(self, first: Candidate | None = None) -> Sequence[Candidate]:
        """`first`, if any, then the others scored that are allowed, by their shrunken gain over the base prompt."""
        ranked = self.board.shrunk_ranking(self._base)
        ranking = [candidate for candidate in ranked if self._space.allows(self._space.added(candidate))]
        return [first, *(candidate for candidate in ranking if candidate != first)] if first in ranking else ranking


def shuffled_blocks(questions: Sequence[str], size: int, seed: int) -> list[Block]:
    """All questions in a random order, cut into blocks of `size` and a smaller last one."""
    shuffled = random.Random(seed).sample(list(questions), len(questions))  # noqa: S311 -- no cryptography here
    return [tuple(shuffled[start : start + size]) for start in range(0, len(shuffled), size)]
