"""Candidates on the same blocks of questions, fewer of them after every block."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from search.problem.candidate import Candidate
from search.problem.trial import TOO_LONG, ScoredTrial, Trial
from search.strategies.parts.score_table import fair_means, score_table

Block = tuple[str, ...]
Scores = Mapping[str, float]
Rule = Callable[[Mapping[Candidate, Scores]], Sequence[Candidate]]


class Race:
    """One race. A candidate that is too long, or that failures leave without any scores, is out.

    Args:
        contenders: those at the start, >= 1; in case of doubt the earlier one wins.
        blocks: questions, block by block; together all of them or fewer.
        rule: who stays in, given the scores so far of all who are, by question.
        winners: the race ends when so many are left, or with the last block.
        earlier_scores: scores that need not be asked for, by question.
    """

    def __init__(
        self,
        contenders: Sequence[Candidate],
        blocks: Sequence[Block],
        rule: Rule,
        *,
        winners: int = 1,
        earlier_scores: Mapping[Candidate, Scores] | None = None,
    ) -> None:
        self._blocks = list(blocks)
        self._rule = rule
        self._winners = winners
        self._earlier_scores = earlier_scores or {}
        self._scores: dict[Candidate, dict[str, float]] = {contender: {} for contender in contenders}
        self._inside = list(self._scores)
        self._next: list[Trial] = []
        self._awaited = 0
        self._block = -1
        self._advance()

    @property
    def over(self) -> bool:
        """Whether everything has been asked and told."""
        return not self._next and not self._awaited

    @property
    def inside(self) -> int:
        """How many candidates are still in it."""
        return len(self._inside)

    def ask(self, room: int) -> list[Trial]:
        """Ask for at most `room` trials; none until the block under way has been told."""
        some, self._next = self._next[:room], self._next[room:]
        self._awaited += len(some)
        return some

    def tell(self, scored: ScoredTrial) -> None:
        """Take the result of a trial of this race."""
        self._awaited -= 1
        candidate = scored.trial.candidate
        self._scores[candidate] |= scored.scores
        if scored.mean is None and (not self._scores[candidate] or TOO_LONG in scored.failures.values()):
            self._inside.remove(candidate)
        if self.over:
            self._judge()
            self._advance()

    def _advance(self) -> None:
        """Go on to the next block that anybody has still to be asked."""
        while not self._next and self._goes_on():
            self._block += 1
            block = self._blocks[self._block]
            for candidate in self._inside:
                scores = self._earlier_scores.get(candidate, {})
                self._scores[candidate] |= {name: scores[name] for name in block if name in scores}
                if not any(name in scores for name in block):
                    self._next.append(Trial(candidate, block))
            if not self._next:
                self._judge()

    def _goes_on(self) -> bool:
        """Everybody meets the first block, whoever else there is."""
        undecided = len(self._inside) > self._winners or (self._block < 0 and len(self._inside) > 0)
        return undecided and self._block + 1 < len(self._blocks)

    def _judge(self) -> None:
        if len(self._inside) > self._winners:
            stay = set(self._rule({candidate: self._scores[candidate] for candidate in self._inside}))
            self._inside = [candidate for candidate in self._inside if candidate in stay]

    def left(self) -> int:
        """How many answers it may still ask for, at most."""
        later = sum(len(block) for block in self._blocks[self._block + 1 :])
        return sum(len(trial.questions) for trial in self._next) + len(self._inside) * later

    def winners(self) -> list[Candidate]:
        """The candidates still in, best mean first, over the questions that they have in common."""
        means = fair_means(score_table({candidate: self._scores[candidate] for candidate in self._inside}))
        order = np.argsort(-means, kind="stable")[: self._winners]
        return [self._inside[place] for place in order]
