"""CASE: the best sets are told apart from their challengers by a linear bandit over sets.

Every set is an arm; what it adds to the base prompt is taken to be the sum of a weight for each of its demonstrations
(ridge regression on scores of blocks, each minus the base prompt's on the same questions). A few arms stand for the
best, a few others, the likeliest among arms sampled anew, challenge them. In each round the pair of best and challenger
that are hardest to tell apart is found by its gap index, the predicted difference plus its uncertainty, and of the two
the one is judged that makes their difference more certain; a challenger that is predicted to be better takes the place
of the weakest of the best.

Purohit et al., Sample Efficient Demonstration Selection for In-Context Learning, ICML 2025 (challenger arms); gap
indices: Xu, Honda and Sugiyama, AISTATS 2018. Own: blocks of questions, several arms under way, neighbours of the best
among the arms sampled.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from configs.schema.case import CaseConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import TOO_LONG, ScoredTrial, Trial
from search.statistics.observed_scores import Floats, OrderedSet
from search.strategies.parts.met_questions import MetQuestions
from search.strategies.parts.numbered_space import NumberedSpace

_RIDGE = 1.0  # of weights, in units of a block's noise
_WIDTH = 1.0  # standard deviations in a gap index


class CaseSearch:
    """See the module's docstring."""

    def __init__(self, space: SearchSpace, config: CaseConfig, seed: int) -> None:
        self._space, self._config = space, config
        self._numbered = NumberedSpace(space)
        self._draw = np.random.default_rng(seed)
        self._block = min(config.block, len(space.questions))
        size = len(space.pool)
        self._met = MetQuestions(size, len(space.questions), self._block, self._draw)
        self._information, self._sums = np.eye(size) * _RIDGE, np.zeros(size)
        self._base = self._numbered.numbers(space.compose(()))
        self._base_scores: dict[str, float] = {}
        self._asked = len(space.questions)
        self._budget = max(config.evaluations, self._asked + self._block)
        self._broken: set[OrderedSet] = set()
        self._observed: dict[OrderedSet, list[float]] = {}  # gains over the base prompt
        self._best: list[OrderedSet] = []
        self._challengers: list[OrderedSet] = []
        self._ended = False

    def extend(self, budget: int) -> None:
        """Go on with what is known, as far as so many answers reach."""
        self._budget, self._ended = max(self._budget, budget), False

    def ask(self, room: int) -> Sequence[Trial]:
        if not self._observed or self._ended:
            return []
        trials: list[Trial] = []
        while len(trials) < room and (trial := self._next()) is not None:
            trials.append(trial)
        return trials

    def _next(self) -> Trial | None:
        if self._asked + self._block > self._budget:
            return None
        self._renew_arms()
        arm = self._arm_to_judge()
        block = [] if arm is None else self._met.next_block(arm)
        if arm is None or not block:
            return None
        self._count(arm, len(block))
        self._asked += len(block)
        return Trial(self._numbered.candidate(arm), self._numbered.questions(block))

    def tell(self, scored: ScoredTrial) -> None:
        arm, asked = self._numbered.numbers(scored.trial.candidate), len(scored.trial.questions)
        if not self._observed:
            self._base_scores, self._observed[arm] = scored.scores, []
            return
        usable = scored.scores if scored.mean is not None else {}
        if not usable and TOO_LONG in scored.failures.values():
            self._broken.add(arm)
        gains = [value - self._base_scores[name] for name, value in usable.items() if name in self._base_scores]
        self._count(arm, len(gains) - asked)
        self._sums += self._row(arm) * sum(gains) / self._block
        if usable:
            self._observed.setdefault(arm, []).extend(gains)

    def _count(self, arm: OrderedSet, answers: int) -> None:
        """Count so many answers more of an arm; those that were counted when they were asked for and failed are less
        than none."""
        self._information += np.outer(self._row(arm), self._row(arm)) * answers / self._block

    def _row(self, arm: OrderedSet) -> Floats:
        """What multiplies the weights in the arm's gain over the base prompt; [N]."""
        row = np.zeros(len(self._sums))
        for members, sign in ((arm, 1), (self._base, -1)):
            if members:
                row[list(members)] += sign * len(members) ** -0.5
        return row

    def _renew_arms(self) -> None:
        """Sample arms, and keep the predicted best of them and of those before; the next ones challenge."""
        sampled = [self._random_arm() for _ in range(self._config.sampled)]
        near = [self._neighbour(arm) for arm in self._best]
        arms = [arm for arm in dict.fromkeys([*self._best, *self._challengers, *near, *sampled]) if self._open(arm)]
        weights = np.linalg.solve(self._information, self._sums)
        predicted = np.array([self._row(arm) @ weights for arm in arms])
        ranked = [arms[place] for place in np.argsort(-predicted, kind="stable")]
        self._best = ranked[: self._config.best]
        self._challengers = ranked[self._config.best : self._config.best + self._config.challengers]

    def _arm_to_judge(self) -> OrderedSet | None:
        """Find the best and the challenger that are hardest to tell apart, and return the one that tells more."""
        if not self._best or not self._challengers:
            return self._best[0] if self._best else None
        inverse = np.linalg.inv(self._information)
        weights = inverse @ self._sums

        def gap_index(best: OrderedSet, challenger: OrderedSet) -> float:
            difference = self._row(challenger) - self._row(best)
            return float(difference @ weights + _WIDTH * np.sqrt(difference @ inverse @ difference))

        pair = max(product(self._best, self._challengers), key=lambda arms: gap_index(*arms))
        difference = self._row(pair[0]) - self._row(pair[1])

        def left_uncertain(arm: OrderedSet) -> float:
            row = inverse @ self._row(arm)
            return float(difference @ inverse @ difference - (difference @ row) ** 2 / (1 + self._row(arm) @ row))

        return min(pair, key=left_uncertain)

    def _random_arm(self) -> OrderedSet:
        chosen = list(self._numbered.required)
        for number in self._draw.permutation(len(self._space.pool)).tolist():
            if len(chosen) == self._space.max_added:
                break
            if number not in chosen and self._numbered.fits([*chosen, number]):
                chosen.append(number)
        return self._numbered.arranged(tuple(chosen))

    def _neighbour(self, arm: OrderedSet) -> OrderedSet:
        """One demonstration exchanged for another at random; the same where that cannot be."""
        free = [place for place, number in enumerate(arm) if number not in self._numbered.required]
        others = [number for number in range(len(self._space.pool)) if number not in arm]
        if not free or not others:
            return arm
        changed = list(arm)
        changed[int(self._draw.choice(free))] = int(self._draw.choice(others))
        return self._numbered.arranged(tuple(changed)) if self._numbered.allowed(tuple(changed)) else arm

    def _open(self, arm: OrderedSet) -> bool:
        is_usable = bool(arm) and arm not in self._broken and self._numbered.allowed(arm)
        return is_usable and self._met.blocks_left(arm) > 0

    def planned(self) -> int:
        return max(self._asked, self._budget)

    def ranking(self) -> Sequence[Candidate]:
        """Judged arms by their predicted gain, orders of one set by their own; the base prompt has none."""
        weights = np.linalg.solve(self._information, self._sums)
        predicted = {arm: round(float(self._row(arm) @ weights), 9) for arm in self._observed}
        own = {arm: sum(gains) / (len(gains) + self._block) for arm, gains in self._observed.items()}
        return [
            self._numbered.candidate(arm)
            for arm in sorted(self._observed, key=lambda arm: (-predicted[arm], -own[arm]))
        ]

    def stage(self) -> str:
        """What it is doing, in a few words."""
        return "the likeliest best sets and their challengers are judged"
