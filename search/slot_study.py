"""An Optuna study over slots: one categorical slot a position, each a demonstration or empty.

Slots are categorical because an integer would impose an order on ids. Read from the first to the last they spell a
choice: empty slots are passed over, and so is what does not fit behind the earlier ones; required demonstrations that
no slot names stand first. So nearly every setting of the slots is an allowed choice, and always the same one.

The study lives in memory; a resumed run asks it the same questions again.
"""

import random
import warnings
from collections.abc import Iterable, Sequence
from typing import Literal

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, TPESampler
from optuna.trial import TrialState, create_trial

from search.space import SearchSpace

Choice = tuple[str, ...]
Sampler = Literal["gp", "tpe", "nsga2"]

EMPTY = ""
_REPEATS_IN_A_ROW = 5  # then a neighbour of the best is suggested to the sampler
_NEIGHBOURS = 50
_DRAWS = 10_000  # that give nothing new, before a space counts as exhausted


class SlotStudy:
    """Proposes choices of some demonstrations, and learns what they are worth. A proposal that repeats an earlier one
    is answered at once with what is known of it, or as soon as it is.

    Args:
        names: the demonstrations a slot may hold; all required ones among them.
        random_first: so many results come before the sampler is asked; until then proposals are suggested or random.
    """

    def __init__(
        self, space: SearchSpace, names: Sequence[str], *, sampler: Sampler, random_first: int, seed: int
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space, self._names = space, tuple(names)
        self._draw = random.Random(seed)  # noqa: S311 -- no cryptography here
        self._study = optuna.create_study(direction="maximize", sampler=_sampler(sampler, random_first, seed))
        self._slots = {
            f"slot {number + 1}": CategoricalDistribution(
                self._names if number < space.min_added else (EMPTY, *self._names)
            )
            for number in range(space.max_added)
        }
        self._told: dict[Choice, float | None] = {(): None}
        self._under_way: dict[Choice, list[optuna.Trial]] = {}

    def learn(self, choice: Choice, value: float) -> None:
        """Take what a choice is worth that was not proposed; one that the slots cannot spell is left out."""
        self._told[choice] = value
        if self._spells(choice):
            params = self._params(choice)
            self._study.add_trial(create_trial(params=params, distributions=dict(self._slots), value=value))

    def suggest(self, choice: Choice) -> None:
        """Propose this before the sampler's own, where it is allowed, new, and can be spelt."""
        if self._spells(choice) and self._is_new(choice):
            self._study.enqueue_trial(self._params(choice))

    def propose(self, best: Choice) -> Choice | None:
        """The next choice, allowed and never proposed before; None where there is none.

        Args:
            best: so far; where the sampler only repeats itself, its neighbours come next.
        """
        repeats = 0
        while True:
            if repeats == _REPEATS_IN_A_ROW:
                neighbour = self._neighbour(best)
                if neighbour is None:
                    return None
                self._study.enqueue_trial(self._params(neighbour))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                proposal = self._study.ask(dict(self._slots))
            choice = self._spelt(proposal.params.values())
            if self._is_new(choice):
                self._under_way[choice] = [proposal]
                return choice
            if choice in self._under_way:
                self._under_way[choice].append(proposal)
            else:
                self._answer(proposal, self._told.get(choice))
            repeats += 1

    def tell(self, choice: Choice, value: float | None) -> None:
        """Take what a proposed choice is worth, or seems to be; None for one that could not be scored."""
        self._told[choice] = value
        for proposal in self._under_way.pop(choice):
            self._answer(proposal, value)

    def _answer(self, proposal: optuna.Trial, value: float | None) -> None:
        if value is None:
            self._study.tell(proposal, state=TrialState.FAIL)
        else:
            self._study.tell(proposal, value)

    def _neighbour(self, best: Choice) -> Choice | None:
        """A new choice, one slot away from the best where there is one; None where none can be found."""
        slots = [*best, *[EMPTY] * (len(self._slots) - len(best))]
        for _ in range(_NEIGHBOURS):
            changed = slots.copy()
            changed[self._draw.randrange(len(changed))] = self._draw.choice((EMPTY, *self._names))
            choice = self._spelt(changed)
            if self._is_new(choice):
                return choice
        for _ in range(_DRAWS):
            size = self._draw.randint(1, min(len(self._slots), len(self._names)))
            choice = self._spelt(self._draw.sample(self._names, size))
            if self._is_new(choice):
                return choice
        return None

    def _is_new(self, choice: Choice) -> bool:
        return choice not in self._told and choice not in self._under_way and self._space.allows(choice)

    def _spelt(self, slots: Iterable[str]) -> Choice:
        named = [name for name in dict.fromkeys(slots) if name != EMPTY]
        chosen: list[str] = []
        for name in [*(one for one in self._space.required if one not in named), *named]:
            owed = [one for one in self._space.required if one not in chosen and one != name]
            if self._space.fits((*chosen, name, *owed)):
                chosen.append(name)
        return self._space.arrange(chosen)

    def _spells(self, choice: Choice) -> bool:
        known = self._space.min_added <= len(choice) and set(choice) <= set(self._names)
        return known and self._spelt(choice) == choice

    def _params(self, choice: Choice) -> dict[str, str]:
        return dict(zip(self._slots, [*choice, *[EMPTY] * (len(self._slots) - len(choice))], strict=True))


def _sampler(kind: Sampler, random_first: int, seed: int) -> BaseSampler:
    if kind == "gp":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return GPSampler(seed=seed, n_startup_trials=random_first, deterministic_objective=False)
    if kind == "tpe":
        return TPESampler(seed=seed, n_startup_trials=random_first)
    return NSGAIISampler(seed=seed)
