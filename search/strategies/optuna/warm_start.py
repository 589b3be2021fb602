"""What demonstrations seem to be worth before a search begins: groups of them are judged on blocks of questions, and
`search.statistics.effects` tells them apart."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.statistics.best_set import known_effects
from search.statistics.effects import USUAL_SPREAD, EffectsModel
from search.statistics.effects_posterior import Fit
from search.statistics.observed_scores import Floats, ObservedScores
from search.strategies.parts.race import Block

_GROWTH = 1.5  # the model is fitted anew when so many times more has been told
_FIRST_FIT = 8  # trials told
_TEMPER = 0.5  # of a draw's deviation from the posterior mean
_TRIES = 20  # at a group that has not been asked about all questions


class WarmStart:
    """Balanced groups of the demonstrations that are still in; they become fewer as the model learns.

    Args:
        base: the base prompt's result.
        blocks: questions, block by block, the same for all groups.
        trials: groups in all, >= 1.
        size: demonstrations of a group, >= 1; more where more are required.
        keep: so many demonstrations are still in at the end.
    """

    def __init__(
        self,
        space: SearchSpace,
        base: ScoredTrial,
        blocks: Sequence[Block],
        *,
        trials: int,
        size: int,
        keep: int,
        seed: int,
    ) -> None:
        self._space, self._blocks = space, blocks
        self._trials, self._size, self._keep = trials, size, min(keep, len(space.pool))
        self._draw = np.random.default_rng(seed)
        self._number = {name: number for number, name in enumerate(space.pool)}
        self._question = {name: number for number, name in enumerate(space.questions)}
        self._met = np.zeros((len(space.pool), len(blocks)))
        self._asked_about: set[tuple[Candidate, Block]] = set()
        self._asked = self._results = self._fitted = 0
        self._scores = ObservedScores()
        self._model = EffectsModel(len(space.questions), len(space.pool), None, _scale(base))
        self._fit: Fit | None = None
        self._learn(base)

    @property
    def over(self) -> bool:
        """Whether all groups have been asked about and told."""
        return self._asked == self._results == self._trials

    def ask(self, room: int) -> list[Trial]:
        """Ask for at most `room` groups, each with a block of questions."""
        trials: list[Trial] = []
        while len(trials) < room and self._asked < self._trials:
            trial = self._group()
            if trial is None:
                self._trials = self._asked
                break
            self._asked += 1
            trials.append(trial)
        return trials

    def tell(self, scored: ScoredTrial) -> None:
        """Take a group's result."""
        self._results += 1
        self._learn(scored)
        if self.over or self._results >= max(_FIRST_FIT, _GROWTH * self._fitted):
            self._fitted = self._results
            self._fit = self._model.fit(self._scores, self._fit, sweeps=2 if self.over else 1)

    def _learn(self, scored: ScoredTrial) -> None:
        if scored.scores:
            members = tuple(self._number[name] for name in self._space.members(scored.trial.candidate))
            scores = {self._question[name]: value for name, value in scored.scores.items() if name in self._question}
            self._scores.tell(members, [*scores], [*scores.values()])

    def _group(self) -> Trial | None:
        for _ in range(_TRIES):
            members = self._members()
            candidate = self._space.compose(self._names(members))
            blocks = [block for block in self._blocks if (candidate, block) not in self._asked_about]
            if members and candidate != self._space.compose(()) and blocks:
                block = self._least_met(members, blocks)
                self._asked_about.add((candidate, block))
                return Trial(candidate, block)
        return None

    def _members(self) -> list[int]:
        """What is required, and those still in that have been asked about least, in random order among equals."""
        total = len(self._space.pool)
        left = 1.0 if self._fit is None else (self._keep / total) ** (self._asked / self._trials)
        inside = self._strongest(math.ceil(total * left))
        shuffled = self._draw.permutation(inside)
        asked = self._met.sum(axis=1)
        members = [self._number[name] for name in self._space.required]
        for number in shuffled[np.argsort(asked[shuffled], kind="stable")].tolist():
            if len(members) >= self._size:
                break
            if number not in members and self._space.fits(self._names([*members, number])):
                members.append(number)
        return members

    def _least_met(self, members: Sequence[int], blocks: Sequence[Block]) -> Block:
        """The block that these have met least, any of those that are equal."""
        places = [self._blocks.index(block) for block in blocks]
        met = self._met[np.ix_(members, places)].sum(axis=0) + self._draw.random(len(places)) * 0.5
        place = places[int(met.argmin())]
        self._met[members, place] += 1
        return self._blocks[place]

    def _strongest(self, count: int) -> list[int]:
        """The strongest by posterior mean; any before the first fit."""
        worths = np.zeros(len(self._space.pool)) if self._fit is None else self._fit.worths(self._fit.mean)
        strongest: list[int] = np.argsort(-worths, kind="stable")[:count].tolist()
        return strongest

    def shortlist(self) -> tuple[str, ...]:
        """The demonstrations still in and those required, in the pool's order; all before the first fit."""
        kept = self._strongest(len(self._space.pool) if self._fit is None else self._keep)
        among = {*self._names(kept), *self._space.required}
        return tuple(name for name in self._space.pool if name in among)

    def best_sets(self, count: int) -> list[tuple[str, ...]]:
        """Choose at most `count` sets from the shortlist: the likeliest best, then those of posterior draws; none
        before the first fit."""
        if self._fit is None:
            return []
        betas = [self._fit.mean, *self._fit.draws(2 * count, _TEMPER, self._draw)]
        return list(dict.fromkeys(self._best_set(self._fit, beta) for beta in betas))[:count]

    def _best_set(self, fit: Fit, beta: Floats) -> tuple[str, ...]:
        space, shortlist = self._space, set(self.shortlist())
        chosen = known_effects(fit, beta).best_set(
            required=[self._number[name] for name in space.required],
            least=max(space.min_added, len(space.required)),
            most=space.max_added,
            fits=lambda members: shortlist.issuperset(self._names(members)) and space.fits(self._names(members)),
        )
        return space.arrange(self._names(chosen))

    def _names(self, members: Iterable[int]) -> list[str]:
        return [self._space.pool[member] for member in members]


def _scale(base: ScoredTrial) -> float:
    """Points of the judge's scale per unit of the model."""
    values = np.array(list(base.scores.values()))
    return float(values.std()) / USUAL_SPREAD or 1.0 if len(values) > 1 else 1.0
