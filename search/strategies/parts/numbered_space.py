"""A search space whose demonstrations and questions are numbers, as statistical models take them."""

from collections.abc import Sequence
from statistics import fmean

from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial
from search.statistics.best_set import KnownEffects
from search.statistics.observed_scores import OrderedSet


class NumberedSpace:
    """Numbers from 0, in the order of the space's pool and of its questions.

    Attributes:
        required: numbers of the demonstrations that every candidate has.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self._number = {name: number for number, name in enumerate(space.pool)}
        self._question = {name: number for number, name in enumerate(space.questions)}
        self.required = tuple(self._number[name] for name in space.required)

    def numbers(self, candidate: Candidate) -> OrderedSet:
        """Return the demonstrations that a candidate adds, in order."""
        return tuple(self._number[name] for name in self.space.members(candidate))

    def candidate(self, chosen: OrderedSet) -> Candidate:
        """The inverse of `numbers`."""
        return self.space.compose([self.space.pool[number] for number in chosen])

    def scores(self, scored: ScoredTrial) -> dict[int, float]:
        """Return the scores of a trial on the questions of this space."""
        return {self._question[name]: value for name, value in scored.scores.items() if name in self._question}

    def questions(self, block: Sequence[int]) -> tuple[str, ...]:
        """Return the names of a block's questions."""
        return tuple(self.space.questions[number] for number in block)

    def arranged(self, chosen: OrderedSet) -> OrderedSet:
        """Return the set in the order in which it stands in a prompt."""
        return chosen if self.space.order == "free" else tuple(sorted(chosen))

    def fits(self, chosen: Sequence[int]) -> bool:
        """Whether these demonstrations may stand in one prompt, or be part of what does."""
        return self.space.fits([self.space.pool[number] for number in chosen])

    def allowed(self, chosen: OrderedSet) -> bool:
        """Whether this set may be recommended."""
        return self.space.allows([self.space.pool[number] for number in chosen])

    def best_set(self, effects: KnownEffects) -> OrderedSet:
        """Return the best set of the space when effects are as known."""
        least, most = max(self.space.min_added, len(self.required)), self.space.max_added
        return self.arranged(effects.best_set(required=self.required, least=least, most=most, fits=self.fits))

    def gain_of_knowing(self, possible: Sequence[KnownEffects], leaders: Sequence[Candidate]) -> float:
        """Return what knowing the effects would add to the first of the leaders, on average over what effects may be;
        in their units."""
        best = self.numbers(leaders[0]) if leaders else ()
        return fmean(max(0.0, effects.value(self.best_set(effects)) - effects.value(best)) for effects in possible)
