"""Optuna guides: one categorical slot a position, each a demonstration or empty.

Slots are categorical because an integer would impose an order on ids. The study lives in memory; a resumed run asks it
the same questions again. A proposal that repeats an earlier candidate is answered at once with what is known of it.
"""

import random
import warnings
from collections.abc import Sequence

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
_DRAWS = 10_000  # that give nothing new, before a space counts as exhausted


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
        self._trials = min(config.trials, space.size(space.min_added))
        self._singles = self._alone()[: self._trials] if config.warm_start else []
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
            proposals = self._proposals(room)
        self._asked += len(proposals)
        return [Trial(self._space.compose(added), self._space.questions) for added in proposals]

    def _alone(self) -> list[tuple[str, ...]]:
        """Every demonstration alone, or with those required."""
        required = self._space.required
        alone = [self._space.arrange((*required, name)) for name in self._space.pool if name not in required]
        return [added for added in alone if self._space.allows(added)]

    def _proposals(self, count: int) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        while len(found) < count and (added := self._propose()) is not None:
            found.append(added)
        if len(found) < count:
            self._trials = self._asked + len(found)
        return found

    def _propose(self) -> tuple[str, ...] | None:
        """The sampler's next proposal that is allowed and that nobody has asked for yet; None where there is none."""
        repeats = 0
        while True:
            if repeats == _REPEATS_IN_A_ROW:
                neighbour = self._neighbour()
                if neighbour is None:
                    return None
                self._study.enqueue_trial(self._params(neighbour))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                proposal = self._study.ask(dict(self._slots))
            added = self._space.arrange(
                tuple(dict.fromkeys(name for name in proposal.params.values() if name != EMPTY))
            )
            if added in self._told:
                self._answer(proposal.number, self._told[added])
            elif not self._space.allows(added):
                self._answer(proposal.number, None)
            else:
                fresh = added not in self._under_way
                self._under_way.setdefault(added, []).append(proposal.number)
                if fresh:
                    return added
            repeats += 1

    def _neighbour(self) -> tuple[str, ...] | None:
        """An unasked candidate, one slot away from the best where there is one; None where none can be found."""
        best = self._space.added(self._board.ranking()[0]) if self._board.ranking() else ()
        slots = [*best, *[EMPTY] * (self._space.max_added - len(best))]
        for _ in range(_NEIGHBOURS):
            changed = slots.copy()
            changed[self._draw.randrange(len(changed))] = self._draw.choice((EMPTY, *self._space.pool))
            added = self._space.arrange(tuple(dict.fromkeys(name for name in changed if name != EMPTY)))
            if not self._seen(added) and self._space.allows(added):
                return added
        for _ in range(_DRAWS):
            size = self._draw.randint(1, self._space.max_added)
            drawn = dict.fromkeys((*self._space.required, *self._draw.sample(self._space.pool, size)))
            added = self._space.arrange(tuple(drawn)[: self._space.max_added])
            if not self._seen(added) and self._space.allows(added):
                return added
        return None

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
        required = self._space.required
        means = {
            name: mean
            for added in self._singles
            if (mean := self._told[added]) is not None
            for name in added
            if name not in required
        }
        best = sorted(means, key=lambda name: -means[name])
        for size in range(2, min(self._space.max_added - len(required), len(best)) + 1):
            for chosen in (best[:size], best[size - 1 :: -1]):
                added = self._space.arrange((*required, *chosen))
                if self._space.allows(added):
                    self._study.enqueue_trial(self._params(added))

    def _params(self, added: Sequence[str]) -> dict[str, str]:
        return dict(zip(self._slots, [*added, *[EMPTY] * (len(self._slots) - len(added))], strict=True))

    def planned(self) -> int:
        return (1 + self._trials) * len(self._space.questions)

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
