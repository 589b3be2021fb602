"""How sure a run's scores make it that a candidate beats the base prompt."""

from collections.abc import Sequence
from statistics import pstdev

from search.problem.candidate import OWN, Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial
from search.statistics.effects import USUAL_SPREAD, EffectsModel
from search.statistics.observed_scores import ObservedScores, OrderedSet

_SWEEPS = 2


class Certainty:
    """Collects every score of a run, whatever strategy asked for it, on guiding and on held-out questions alike.

    A winner was chosen for its guiding scores, so these alone promise too much; the few held-out ones alone prove
    little. One model of all of them (`search.statistics.effects`) weighs both: what was tried and did worse is in it
    too, and that is what corrects for having chosen the best (Gelman et al. 2012, Why we (usually) don't have to worry
    about multiple comparisons).

    Where candidates do not keep the base prompt's demonstrations, or others stand anywhere among them, it is a set like
    any other, of demonstrations of its own: as the empty one, its level would be taken for that of no demonstrations at
    all. Another decoding counts as one more member of the set.
    """

    def __init__(self, space: SearchSpace, held_out: Sequence[str]) -> None:
        self._space = space
        # Of what has been told: the rest of a large pool says nothing, and costs.
        self._number: dict[tuple[str, str], int] = {}
        self._question = {name: number for number, name in enumerate((*space.questions, *held_out))}
        self._scores = ObservedScores()
        self._values: list[float] = []

    def tell(self, scored: ScoredTrial) -> None:
        """Take a result of either kind; one without a mean says nothing."""
        if scored.mean is not None:
            asked = [self._question[name] for name in scored.scores]
            self._scores.tell(self._numbers(scored.trial.candidate), asked, list(scored.scores.values()))
            self._values.extend(scored.scores.values())

    def probability_better(self, candidate: Candidate) -> float:
        """Posterior probability that the candidate beats the base prompt on questions of this kind, to 3 decimals; 0.5
        before both have been told."""
        one, base = self._numbers(candidate), self._numbers(self._space.compose(()))
        if one == base or not {one, base} <= self._scores.number.keys():
            return 0.5
        model = EffectsModel(len(self._question), len(self._number), None, self._scale())
        return round(model.fit(self._scores, sweeps=_SWEEPS).probability_better(one, base), 3)

    def _scale(self) -> float:
        """Points of the judge's scale per unit of the model: from how far all scores spread."""
        return pstdev(self._values) / USUAL_SPREAD or 1.0

    def _numbers(self, candidate: Candidate) -> OrderedSet:
        stays = self._space.base_use == "keep" and len(self._space.places) == 1
        names = self._space.added(candidate) if stays else candidate.demonstrations
        members = [("demonstration", name) for name in names]
        if candidate.decoding != OWN:
            members.append(("decoding", candidate.decoding))
        return tuple(self._number.setdefault(one, len(self._number)) for one in members)
