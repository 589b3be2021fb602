"""An Optuna study over slots: one categorical slot a position, each a demonstration or empty; and, where the space has
several, the place of the chosen ones among the base prompt's, and the decoding.

Slots are categorical because an integer would impose an order on ids. Read from the first to the last they spell a
choice: empty slots are passed over, and so is what does not fit behind the earlier ones; required demonstrations that
no slot names stand first. So nearly every setting of the slots is an allowed choice, and always the same one.

The study lives in memory; a resumed run asks it the same questions again.
"""

import random
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, TPESampler
from optuna.trial import TrialState, create_trial

from search.problem.candidate import OWN, Candidate
from search.problem.space import SearchSpace

Sampler = Literal["gp", "tpe", "nsga2"]
Setting = Mapping[str, Any]
"""One value for each of the study's parameters."""

EMPTY = ""
_PLACE, _DECODING = "place", "decoding"
_REPEATS_IN_A_ROW = 5  # then a neighbour of the best is suggested to the sampler
_NEIGHBOURS = 50
_DRAWS = 10_000  # that give nothing new, before a space counts as exhausted


class SlotStudy:
    """Proposes candidates of some demonstrations, and learns what they are worth. A proposal that repeats an earlier
    one is answered at once with what is known of it, or as soon as it is.

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
        self._slots = [f"slot {number + 1}" for number in range(space.max_added)]
        choices: dict[str, tuple[Any, ...]] = {
            slot: self._names if number < space.min_added else (EMPTY, *self._names)
            for number, slot in enumerate(self._slots)
        }
        if len(space.places) > 1:
            choices[_PLACE] = space.places
        if space.decodings:
            choices[_DECODING] = (OWN, *space.decodings)
        self._parameters = {name: CategoricalDistribution(values) for name, values in choices.items()}
        self._values: dict[Candidate, float | None] = {space.compose(()): None}
        self._under_way: dict[Candidate, list[optuna.Trial]] = {}

    def learn(self, candidate: Candidate, value: float) -> None:
        """Take what a candidate is worth that was not proposed; one that the slots cannot spell is left out."""
        self._values[candidate] = value
        if self._spells(candidate):
            trial = create_trial(params=self._params(candidate), distributions=dict(self._parameters), value=value)
            self._study.add_trial(trial)

    def suggest(self, candidate: Candidate) -> None:
        """Propose this before the sampler's own, where it is allowed, new, and can be rendered."""
        if self._spells(candidate) and self._is_new(candidate):
            self._study.enqueue_trial(self._params(candidate))

    def propose(self, best: Candidate) -> Candidate | None:
        """The next candidate, allowed and never proposed before; None where there is none.

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
                proposal = self._study.ask(dict(self._parameters))
            candidate = self._candidate_of(proposal.params)
            if self._is_new(candidate):
                self._under_way[candidate] = [proposal]
                return candidate
            if candidate in self._under_way:
                self._under_way[candidate].append(proposal)
            else:
                self._answer(proposal, self._values.get(candidate))
            repeats += 1

    def tell(self, candidate: Candidate, value: float | None) -> None:
        """Take what a proposed candidate is worth, or seems to be; None for one that could not be scored."""
        self._values[candidate] = value
        for proposal in self._under_way.pop(candidate):
            self._answer(proposal, value)

    def _answer(self, proposal: optuna.Trial, value: float | None) -> None:
        if value is None:
            self._study.tell(proposal, state=TrialState.FAIL)
        else:
            self._study.tell(proposal, value)

    def _neighbour(self, best: Candidate) -> Candidate | None:
        """A new one, one parameter away from the best where there is one; None where none can be found."""
        setting = self._params(best)
        for _ in range(_NEIGHBOURS):
            name = self._draw.choice([*self._parameters])
            values = (EMPTY, *self._names) if name in self._slots else self._parameters[name].choices
            candidate = self._candidate_of(setting | {name: self._draw.choice(values)})
            if self._is_new(candidate):
                return candidate
        for _ in range(_DRAWS):
            size = self._draw.randint(0 if self._space.decodings else 1, min(len(self._slots), len(self._names)))
            slots = self._filled(self._draw.sample(self._names, size))
            others = {
                name: self._draw.choice(parameter.choices)
                for name, parameter in self._parameters.items()
                if name not in slots
            }
            candidate = self._candidate_of(slots | others)
            if self._is_new(candidate):
                return candidate
        return None

    def _is_new(self, candidate: Candidate) -> bool:
        is_asked = candidate in self._values or candidate in self._under_way
        return not is_asked and self._space.holds(candidate)

    def _candidate_of(self, setting: Setting) -> Candidate:
        named = [name for name in dict.fromkeys(setting[slot] for slot in self._slots) if name != EMPTY]
        chosen: list[str] = []
        for name in [*(name for name in self._space.required if name not in named), *named]:
            owed = [required for required in self._space.required if required not in chosen and required != name]
            if self._space.fits((*chosen, name, *owed)):
                chosen.append(name)
        return self._space.compose(chosen, setting.get(_PLACE), setting.get(_DECODING, OWN))

    def _spells(self, candidate: Candidate) -> bool:
        added = self._space.added(candidate)
        is_spelled = self._space.min_added <= len(added) and set(added) <= set(self._names)
        return is_spelled and self._candidate_of(self._params(candidate)) == candidate

    def _params(self, candidate: Candidate) -> dict[str, Any]:
        optional = {_PLACE: self._space.place(candidate), _DECODING: candidate.decoding}
        params = {name: value for name, value in optional.items() if name in self._parameters}
        return self._filled(self._space.added(candidate)) | params

    def _filled(self, names: Iterable[str]) -> dict[str, Any]:
        """Demonstrations in the first slots, in order; the others are empty."""
        chosen = tuple(names)
        return dict(zip(self._slots, [*chosen, *[EMPTY] * (len(self._slots) - len(chosen))], strict=True))


def _sampler(kind: Sampler, random_first: int, seed: int) -> BaseSampler:
    if kind == "gp":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return GPSampler(seed=seed, n_startup_trials=random_first, deterministic_objective=False)
    if kind == "tpe":
        return TPESampler(seed=seed, n_startup_trials=random_first)
    return NSGAIISampler(seed=seed)
