"""Optuna guides: one categorical slot a position, each a demonstration or empty.

Slots are categorical because an integer would impose an order on ids. The study lives in memory; a resumed run asks it
the same questions again. A proposal that repeats an earlier candidate is answered at once with what is known of it.
"""

import random
import warnings
from collections.abc import Sequence
from math import perm

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, TPESampler
from optuna.trial import TrialState, create_trial

from configs.schema import OptunaConfig
from search.candidate import Candidate
from search.leaderboard import Leaderboard
from search.space import SearchSpace
from search.strategy import ScoredTrial, Trial

EMPTY = ""
_REPEATS_IN_A_ROW = 5  # then a neighbour of the best is suggested to the sampler
_NEIGHBOURS = 50


class OptunaSearch:
    """Slots read from the first to the last give the order of the added demonstrations; empty slots and repeated
    demonstrations are skipped."""

    def __init__(self, space: SearchSpace, config: OptunaConfig, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._board = Leaderboard()
        self._draw = random.Random(seed)  # noqa: S311 -- no cryptography here
        self._study = optuna.create_study(direction="maximize", sampler=_sampler(config, seed))
        slot = CategoricalDistribution((EMPTY, *space.pool))
        self._slots = {f"slot {number + 1}": slot for number in range(space.max_added)}
        possible = sum(perm(len(space.pool), size) for size in range(1, space.max_added + 1))
        self._trials = min(config.trials, possible)
        alone = space.pool[: self._trials] if config.warm_start else ()
        self._singles: list[tuple[str, ...]] = [(name,) for name in alone]
        self._singles_told = 0
        self._asked = 0
        self._told: dict[tuple[str, ...], float | None] = {}
        self._under_way: dict[tuple[str, ...], list[int]] = {(): []}

    def ask(self, room: int) -> Sequence[Trial]:
        room = min(room, self._trials - self._asked)
        proposals: list[tuple[str, ...]] = []
        if self._asked < len(self._singles):
            proposals = self._singles[self._asked : self._asked + room]
            self._under_way |= {added: [] for added in proposals}
        elif self._singles_told == len(self._singles):
            proposals = [self._propose() for _ in range(room)]
        self._asked += len(proposals)
        return [Trial(self._space.compose(added), self._space.questions) for added in proposals]

    def _propose(self) -> tuple[str, ...]:
        """The sampler's next proposal that nobody has asked for yet."""
        repeats = 0
        while True:
            if repeats == _REPEATS_IN_A_ROW:
                self._study.enqueue_trial(self._params(self._neighbour()))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                proposal = self._study.ask(dict(self._slots))
            added = tuple(dict.fromkeys(name for name in proposal.params.values() if name != EMPTY))
            if added in self._told:
                self._answer(proposal.number, self._told[added])
            else:
                fresh = added not in self._under_way
                self._under_way.setdefault(added, []).append(proposal.number)
                if fresh:
                    return added
            repeats += 1

    def _neighbour(self) -> tuple[str, ...]:
        """An unasked candidate, one slot away from the best where there is one."""
        best = self._space.added(self._board.ranking()[0]) if self._board.ranking() else ()
        slots = [*best, *[EMPTY] * (self._space.max_added - len(best))]
        for _ in range(_NEIGHBOURS):
            changed = slots.copy()
            changed[self._draw.randrange(len(changed))] = self._draw.choice((EMPTY, *self._space.pool))
            added = tuple(dict.fromkeys(name for name in changed if name != EMPTY))
            if not self._seen(added):
                return added
        while True:
            size = self._draw.randint(1, self._space.max_added)
            added = tuple(self._draw.sample(self._space.pool, min(size, len(self._space.pool))))
            if not self._seen(added):
                return added

    def _seen(self, added: tuple[str, ...]) -> bool:
        return added in self._told or added in self._under_way

    def tell(self, scored: ScoredTrial) -> None:
        self._board.tell(scored)
        added = self._space.added(scored.trial.candidate)
        self._told[added] = scored.mean
        numbers = self._under_way.pop(added)
        for number in numbers:
            self._answer(number, scored.mean)
        if not numbers and scored.mean is not None:
            self._add(added, scored.mean)
        if self._singles_told < len(self._singles) and added:
            self._singles_told += 1
            if self._singles_told == len(self._singles):
                self._suggest_best_singles()

    def _answer(self, number: int, mean: float | None) -> None:
        if mean is None:
            self._study.tell(number, state=TrialState.FAIL)
        else:
            self._study.tell(number, mean)

    def _add(self, added: tuple[str, ...], mean: float) -> None:
        self._study.add_trial(create_trial(params=self._params(added), distributions=dict(self._slots), value=mean))

    def _suggest_best_singles(self) -> None:
        """The best two, three, ... demonstrations together, best first and best last: recency can go either way."""
        means = {added[0]: mean for added in self._singles if (mean := self._told[added]) is not None}
        best = sorted(means, key=lambda name: -means[name])
        for size in range(2, min(self._space.max_added, len(best)) + 1):
            for added in (best[:size], best[size - 1 :: -1]):
                self._study.enqueue_trial(self._params(added))

    def _params(self, added: Sequence[str]) -> dict[str, str]:
        return dict(zip(self._slots, [*added, *[EMPTY] * (len(self._slots) - len(added))], strict=True))

    def planned(self) -> int:
        return 1 + self._trials

    def ranking(self) -> Sequence[Candidate]:
        return self._board.ranking()


def _sampler(config: OptunaConfig, seed: int) -> BaseSampler:
    startup = 0 if config.warm_start else 10
    if config.sampler == "gp":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return GPSampler(seed=seed, n_startup_trials=startup, deterministic_objective=False)
    if config.sampler == "tpe":
        return TPESampler(seed=seed, n_startup_trials=startup)
    return NSGAIISampler(seed=seed)
