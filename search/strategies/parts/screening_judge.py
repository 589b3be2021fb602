"""What a cheap judge tells of demonstrations before the judge that counts is asked.

Groups of the whole pool are judged by it alone, so that nothing of what it prefers narrows the search: its scores say
what each demonstration does in its eyes. The effects model of the judge that counts takes that as what effects under
another judge say of its own, as far as its own answers show that the two agree (`search.statistics.effects`).
"""

import numpy as np

from search.problem.trial import Trial
from search.statistics.effects import USUAL_SPREAD, EffectsModel
from search.statistics.effects_posterior import Fit
from search.statistics.effects_prior import OtherEffects
from search.statistics.observed_scores import Floats, ObservedScores, OrderedSet
from search.strategies.parts.groups import Groups
from search.strategies.parts.met_questions import MetQuestions
from search.strategies.parts.numbered_space import NumberedSpace


class ScreeningJudge:
    """A warm start that asks for groups and learns from them.

    Args:
        answers: that it may judge.
        block: questions of a trial.
        embedding, hints: as `search.strategies.screening` takes them.
    """

    def __init__(
        self,
        numbered: NumberedSpace,
        answers: int,
        block: int,
        seed: int,
        embedding: Floats | None = None,
        hints: Floats | None = None,
    ) -> None:
        draw, space = np.random.default_rng([seed, 1]), numbered.space
        self._numbered, self._block, self._embedding, self._hints = numbered, block, embedding, hints
        self._left = answers // block
        self._asked = self._under_way = 0
        self._groups = Groups(numbered, draw)
        self._met = MetQuestions(len(space.pool), len(space.questions), block, draw)
        self._size = len(space.questions), len(space.pool)
        self._scores = ObservedScores()
        self._fit: Fit | None = None

    @property
    def has_ended(self) -> bool:
        """Whether all its answers are judged."""
        return not self._left and not self._under_way

    @property
    def answers(self) -> int:
        """How many answers it has been asked for, and will be."""
        return self._asked + self._left * self._block

    def ask(self, room: int) -> list[Trial]:
        """Ask for at most `room` further trials; none when all are asked for."""
        trials, everybody = [], np.arange(self._size[1])
        groups = self._groups.deal(everybody, self._met.times_asked(), min(room, self._left), self._block)
        for group in groups:
            self._left -= 1
            block = self._met.next_block(group)
            if block:
                questions = self._numbered.questions(block)
                trials.append(Trial(self._numbered.candidate(group), questions, screening=True))
        self._under_way += len(trials)
        self._asked += sum(len(trial.questions) for trial in trials)
        return trials

    def tell(self, chosen: OrderedSet, scores: dict[int, float]) -> None:
        """Take its scores of a set, by the question's number; none where all have failed."""
        self._under_way -= 1
        if scores:
            self._scores.tell(chosen, [*scores], [*scores.values()])

    def effects(self) -> OtherEffects | None:
        """What its scores say of effects; None where it has given none, or always the same."""
        if not self._scores.values:
            return None
        spread = float(np.concatenate(self._scores.values).std())
        if spread == 0:
            return None
        if self._fit is None:
            model = EffectsModel(*self._size, self._embedding, spread / USUAL_SPREAD, self._hints)
            self._fit = model.fit(self._scores)
        return self._fit.effects()
