"""How sure a run's scores make it that a candidate beats the base prompt."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import pstdev

import numpy as np
from scipy.special import logsumexp, ndtri, softmax

from search.problem.candidate import OWN, Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial
from search.statistics.effects import USUAL_SPREAD, EffectsModel, drift_between
from search.statistics.effects_posterior import Fit
from search.statistics.observed_scores import Floats, ObservedScores, OrderedSet
from search.statistics.question_luck import luck_variance

_SWEEPS = 2
_MOST_QUESTIONS = 400
_IMAGINARY = 4  # differences
_DRIFTS = 0.05  # how probable it is beforehand that the judge's level drifts
_GRID = np.linspace(-6, 6, 481)  # of the gain, in standard deviations


class Certainty:
    """Collects every score of a run, whatever strategy asked for it, on search and on held-out questions alike.

    A winner was chosen for its search scores, so these alone promise too much; the few held-out ones alone prove
    little. One model of all search scores (`search.statistics.effects`) says what they make of the winner: what was
    tried and did worse is in it too, and that is what corrects for having chosen the best (Gelman et al. 2012, Why we
    (usually) don't have to worry about multiple comparisons). What demonstrations do to the search questions alone
    counts for no other (`search.statistics.question_luck`). The judge's level may have moved while the search ran, so
    that what was judged late looks better or worse than the base prompt, which was judged first: that is weighed too,
    as far as the scores speak for it. The paired differences on held-out questions, which know nothing of the search,
    come on top.

    Where candidates do not keep the base prompt's demonstrations, or others stand anywhere among them, it is a set like
    any other, of demonstrations of its own: as the empty one, its level would be taken for that of no demonstrations at
    all. Another decoding counts as one more member of the set.
    """

    def __init__(self, space: SearchSpace, held_out: Sequence[str]) -> None:
        self._space = space
        # Of what has been scored: the rest of a large pool says nothing, and costs.
        self._number: dict[tuple[str, str], int] = {}
        self._question = {name: number for number, name in enumerate(space.questions)}
        self._held_out = set(held_out)
        self._searched: list[tuple[OrderedSet, dict[int, float]]] = []
        self._unseen: dict[OrderedSet, dict[str, float]] = {}
        self._verdicts: dict[tuple[OrderedSet, int], int] = {}  # on an answer, where there are several
        self._rejudged = False
        self._fitted: _Fitted | None = None

    def tell(self, scored: ScoredTrial) -> None:
        """Take a result of either kind; one without a mean says nothing. Further verdicts on answers of the base prompt
        check the judge for drift; those on any other candidate's are averaged with the earlier ones."""
        if scored.mean is None:
            return
        chosen = self._numbers(scored.trial.candidate)
        search = {self._question[name]: value for name, value in scored.scores.items() if name in self._question}
        if scored.trial.again and scored.trial.candidate == self._space.compose(()):  # a check for drift
            self._rejudged = True
            for earlier in self._earlier(chosen):  # each answer counts once, for the later time
                for number in search:
                    earlier.pop(number, None)
        elif scored.trial.again:
            search = self._new_after_averaging(chosen, search)
        if search:
            self._fitted = None
            self._searched.append((chosen, search))
        unseen = {name: value for name, value in scored.scores.items() if name in self._held_out}
        self._unseen.setdefault(chosen, {}).update(unseen)

    def _earlier(self, chosen: OrderedSet) -> Iterator[dict[int, float]]:
        """Yield the scores of each earlier trial of a set, by question."""
        return (scores for searched, scores in self._searched if searched == chosen)

    def _new_after_averaging(self, chosen: OrderedSet, search: dict[int, float]) -> dict[int, float]:
        """Make each score that the set has the mean of all verdicts on that answer; return those that it had not."""
        new, trials = dict[int, float](), [*self._earlier(chosen)]
        for number, value in search.items():
            judged = [scores for scores in trials if number in scores]
            if not judged:
                new[number] = value
                continue
            count = self._verdicts[chosen, number] = self._verdicts.get((chosen, number), 1) + 1
            for scores in judged:
                scores[number] += (value - scores[number]) / count
        self._fitted = None
        return new

    def probability_better(self, candidate: Candidate) -> float:
        """Return the posterior probability that the candidate beats the base prompt on questions of this kind, to 3
        decimals; 0.5 where the model holds no score of one of them."""
        chosen_set, base = self._numbers(candidate), self._numbers(self._space.compose(()))
        fitted = self._fit_of(chosen_set, base)
        if fitted is None:
            return 0.5
        unseen = self._differences(chosen_set, base) / fitted.still.model.scale
        noise = 2 * (fitted.still.hyper.noise**2 + fitted.luck)
        each, cases = fitted.each, fitted.cases
        beliefs = [_belief(fit, chosen_set, base, each, unseen, noise) for _, fit in cases]
        logs = [log_prior + evidence for (log_prior, _), (evidence, _) in zip(cases, beliefs, strict=True)]
        return round(float(_weights(logs) @ [better for _, better in beliefs]), 3)

    def expected_gain(self, candidate: Candidate, confidence: float) -> tuple[float, float, float] | None:
        """Return what all search scores together make of the candidate's gain over the base prompt on further
        questions: posterior mean and the ends of its interval, in points, to 3 decimals. Held-out scores are not in it.
        None where the model holds no score of one of them, and for the base prompt.

        Args:
            confidence: of the interval, in (0, 1).
        """
        chosen_set, base = self._numbers(candidate), self._numbers(self._space.compose(()))
        fitted = self._fit_of(chosen_set, base)
        if fitted is None:
            return None
        each, cases = fitted.each, fitted.cases
        weights = _weights([log_prior + fit.log_evidence for log_prior, fit in cases])
        means, spreads = np.array([fit.lasting_gain(chosen_set, base, each) for _, fit in cases]).T
        mean = float(weights @ means)
        half = float(ndtri((1 + confidence) / 2)) * math.sqrt(float(weights @ (spreads**2 + (means - mean) ** 2)))
        return round(mean, 3), round(mean - half, 3), round(mean + half, 3)

    def drift(self) -> float:
        """Return how far the judge's level has moved while the search ran, in points, to 3 decimals; 0 where the
        scores do not say that it has, and where no answer was judged again: candidates become better while a search
        goes on, and that looks alike."""
        base = self._numbers(self._space.compose(()))
        if not self._rejudged or all(chosen == base for chosen, _ in self._searched):
            return 0.0
        fitted = self._fit(base)
        return round(drift_between(fitted.still, fitted.moving), 3)

    def _fit_of(self, chosen_set: OrderedSet, base: OrderedSet) -> "_Fitted | None":
        """Return the model where it tells one set from another: both have scores on the questions that it is of."""
        if chosen_set == base or not {chosen_set, base} <= {chosen for chosen, _ in self._searched}:
            return None
        fitted = self._fit(base)
        return fitted if fitted.still.has_scores(chosen_set) and fitted.still.has_scores(base) else None

    def _fit(self, base: OrderedSet) -> "_Fitted":
        """Return the model of all search scores on the questions that tell; made once for all candidates."""
        if self._fitted is None:
            self._fitted = self._fit_on(self._telling_questions(base))
        return self._fitted

    def _telling_questions(self, base: OrderedSet) -> dict[int, int]:
        """Numbers of the search questions that others than the base prompt have met, at most 400 of them."""
        met = sorted({number for chosen, scores in self._searched if chosen != base for number in scores})
        count = min(len(met), _MOST_QUESTIONS)
        return {met[place * len(met) // count]: place for place in range(count)}

    def _fit_on(self, numbers: dict[int, int]) -> "_Fitted":
        scores, values = ObservedScores(), list[float]()
        for chosen, by_number in self._searched:
            by_position = {numbers[name]: value for name, value in by_number.items() if name in numbers}
            if by_position:
                scores.tell(chosen, [*by_position], [*by_position.values()])
                values += by_position.values()
        model = EffectsModel(len(numbers), len(self._number), None, pstdev(values) / USUAL_SPREAD or 1.0, step=True)
        still = model.fit(scores, sweeps=_SWEEPS)
        return _Fitted(still, model.with_drift(scores, still), luck_variance(still))

    def _differences(self, chosen_set: OrderedSet, base: OrderedSet) -> Floats:
        """Return the differences of the two on held-out questions, in points."""
        first, second = (self._unseen.get(each, {}) for each in (chosen_set, base))
        return np.array([score - second[name] for name, score in first.items() if name in second])

    def _numbers(self, candidate: Candidate) -> OrderedSet:
        stays = self._space.base_use == "keep" and len(self._space.places) == 1
        names = self._space.added(candidate) if stays else candidate.demonstrations
        members = [("demonstration", name) for name in names]
        if candidate.decoding != OWN:
            members.append(("decoding", candidate.decoding))
        return tuple(self._number.setdefault(member, len(self._number)) for member in members)


@dataclass(frozen=True)
class _Fitted:
    """A model of all search scores.

    Attributes:
        still: with a level of the judge that stays.
        moving: with one that moves slowly.
        luck: variance of what a demonstration does to a single question, in the model's units.
    """

    still: Fit
    moving: Fit
    luck: float

    @cached_property
    def each(self) -> Floats:
        """Variance of each demonstration's mean luck on the questions that it was met on, [N]."""
        return self.luck / self.still.questions_met()

    @cached_property
    def cases(self) -> list[tuple[float, Fit]]:
        """What may be the case, and the logarithm of how probable that is beforehand: a level of the judge that
        stays or moves, and each strength of effects."""
        each, levels = self.each, ((self.still, math.log(1 - _DRIFTS)), (self.moving, math.log(_DRIFTS)))
        return [(log_prior, strength) for fit, log_prior in levels for strength in fit.by_strength(each)]


def _weights(logs: Sequence[float] | Floats) -> Floats:
    """Return numbers that add up to 1 and have these logarithms, but for a constant."""
    weights: Floats = softmax(logs)
    return weights


def _belief(
    fit: Fit, chosen_set: OrderedSet, base: OrderedSet, luck: Floats, unseen: Floats, noise: float
) -> tuple[float, float]:
    """Return the log evidence for the strength of effects that a fit has, held-out scores included, and how probable it
    makes it that the gain of `chosen_set` over `base` is above 0.

    Args:
        luck: variance of each demonstration's mean luck on the questions that it was met on, [N].
        unseen: differences on held-out questions, [n].
        noise: variance that a difference has beforehand.
    """
    mean, spread = (value / fit.model.scale for value in fit.lasting_gain(chosen_set, base, luck))
    gains = mean + spread * _GRID
    logs = -(_GRID**2) / 2 + _log_likelihood(gains, unseen, noise)
    above = np.where(np.abs(gains) < 1e-12, 0.5, gains > 0)
    return fit.log_evidence + float(logsumexp(logs)), float(_weights(logs) @ above)


def _log_likelihood(gains: Floats, unseen: Floats, noise: float) -> Floats:
    """Return the log likelihood of each of `gains` as the mean of differences, less the best: Student's, since their
    variance is known from themselves alone but for a few imaginary ones."""
    if not len(unseen):
        return np.zeros(len(gains))
    count = len(unseen) + _IMAGINARY
    variance = (float(((unseen - unseen.mean()) ** 2).sum()) + _IMAGINARY * noise) / (count - 1)
    square = (unseen.mean() - gains) ** 2 * len(unseen) / ((count - 1) * max(variance, 1e-12))
    likelihood: Floats = -count / 2 * np.log1p(square)
    return likelihood
