"""What each chosen demonstration adds, and what its place does, learnt from all candidates together.

By the model of `search.statistics.effects`: a candidate differs from the next in several demonstrations at once, and
only a model tells them apart. Its intervals hold as far as the model does. In each decoding a question has a level of
its own, so that what a decoding does is taken for no demonstration's; different places of the chosen ones among the
base prompt's are taken for the same.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.problem.candidate import Candidate
from search.results.results_by_candidate import ResultsByCandidate
from search.results.search_results import SearchResults
from search.statistics.counted_scores import CountedScores
from search.statistics.effects import USUAL_SPREAD, EffectsModel
from search.statistics.effects_posterior import Fit
from search.statistics.estimates import Estimate
from search.statistics.intervals import Bounds, of_difference
from search.statistics.observed_scores import ObservedScores, OrderedSet
from search.statistics.quantiles import of_normal

_FEWEST = 3  # candidates, the base prompt included
_RECENCIES = np.linspace(-0.9, 0.9, 19)


@dataclass(frozen=True, slots=True)
class Contribution:
    """One demonstration; every estimate's `n` counts the candidates that it stood in.

    Attributes:
        alone: what it adds to a prompt without any of those that vary.
        place: in the winner, from 1 among those that vary; None for one that the winner has not.
        in_winner: what the winner would lose without it.
        by_place: what the winner gains from having it here and not at the other end.
    """

    demonstration: str
    alone: Estimate
    place: int | None = None
    in_winner: Estimate | None = None
    by_place: Estimate | None = None

    def inside(self, bounds: Bounds | None) -> "Contribution":
        """The same with every interval inside the scale of differences, where that has ends."""
        in_winner, by_place = (estimate and estimate.inside(bounds) for estimate in (self.in_winner, self.by_place))
        return replace(self, alone=self.alone.inside(bounds), in_winner=in_winner, by_place=by_place)


@dataclass(frozen=True, slots=True)
class Contributions:
    """What demonstrations contribute to one run's scores.

    Attributes:
        demonstrations: those of the winner first, in their order, then by what they add alone.
        candidates, scores: what it rests on.
        last_over_first: how much more a demonstration counts in the last place than in the first: 1 is no difference.
            `n` counts the candidates with at least two. None where there are too few of them.
    """

    demonstrations: tuple[Contribution, ...]
    candidates: int
    scores: int
    last_over_first: Estimate | None


def contributions(results: SearchResults, winner: Candidate) -> Contributions | None:
    """None where too few candidates were scored, or all have the same demonstrations."""
    scored = [candidate for candidate in results.search if len(results.search.scores_of(candidate)[1])]
    always = set.intersection(*(set(candidate.demonstrations) for candidate in scored)) if scored else set()
    varying = sorted({name for candidate in scored for name in candidate.demonstrations} - always)
    if len(scored) < _FEWEST or not varying:
        return None
    number = {name: at for at, name in enumerate(varying)}
    level = _levels(results.search, scored)
    scores = ObservedScores()
    for candidate in scored:
        members = tuple(number[name] for name in candidate.demonstrations if name in number)
        asked, values = results.search.scores_of(candidate)
        scores.tell(members, level[candidate.decoding][asked], values)
    spread = float(np.concatenate(scores.values).std()) / USUAL_SPREAD
    model = EffectsModel(1 + max(int(numbers.max()) for numbers in level.values()), len(varying), None, spread or 1.0)
    fit = model.fit(scores)
    best = tuple(number[name] for name in winner.demonstrations if name in number)
    stood = Counter(name for candidate in scored for name in candidate.demonstrations)
    met = [stood[name] for name in varying]
    return Contributions(
        demonstrations=tuple(
            contribution.inside(of_difference(results.journal.bounds))
            for contribution in _each(fit, varying, met, best, results.confidence)
        ),
        candidates=len(scored),
        scores=len(results.search.all_scores),
        last_over_first=_last_over_first(scores, fit, results.confidence),
    )


def _levels(results: ResultsByCandidate, scored: Sequence[Candidate]) -> dict[str, NDArray[np.int64]]:
    """Levels of questions by decoding, [Q]; -1 for a question that was not asked with it."""
    is_asked = {candidate.decoding: np.zeros(len(results.questions), dtype=bool) for candidate in scored}
    for candidate in scored:
        is_asked[candidate.decoding][results.scores_of(candidate)[0]] = True
    by_name = np.array(sorted(range(len(results.questions)), key=results.questions.__getitem__), dtype=np.int64)
    level, first = {}, 0
    for decoding, marked in sorted(is_asked.items()):
        asked = by_name[marked[by_name]]
        level[decoding] = np.full(len(results.questions), -1)
        level[decoding][asked] = first + np.arange(len(asked))
        first += len(asked)
    return level


def _each(
    fit: Fit, names: Sequence[str], met: Sequence[int], winner: OrderedSet, confidence: float
) -> tuple[Contribution, ...]:
    alone = _gains(fit, [(number,) for number in range(len(names))], (), confidence)
    rows = [Contribution(name, replace(value, n=n)) for name, value, n in zip(names, alone, met, strict=True)]
    chosen = []
    for at, member in enumerate(winner):
        rest = winner[:at] + winner[at + 1 :]
        moved = (*rest, member) if at < len(rest) / 2 else (member, *rest)
        loss = _gains(fit, [winner], rest, confidence)[0]
        place = _gains(fit, [winner], moved, confidence)[0] if rest else None
        chosen.append(
            replace(
                rows[member],
                place=at + 1,
                in_winner=replace(loss, n=met[member]),
                by_place=place and replace(place, n=met[member]),
            )
        )
    others = [row for at, row in enumerate(rows) if at not in winner]
    return (*chosen, *sorted(others, key=lambda row: -row.alone.mean))


def _gains(fit: Fit, sets: Sequence[OrderedSet], over: OrderedSet, confidence: float) -> list[Estimate]:
    means, spreads = fit.gains(sets, over)
    halves = spreads * of_normal(confidence)
    return [
        Estimate(float(mean), float(mean - half), float(mean + half), 1)
        for mean, half in zip(means, halves, strict=True)
    ]


def _last_over_first(scores: ObservedScores, fit: Fit, confidence: float) -> Estimate | None:
    """The effect of the last place over the first, from the posterior of `recency` on a grid, the other hyperparameters
    as fitted: median and central interval.
    """
    several = sum(len(chosen) > 1 for chosen in scores.sets)
    if several < _FEWEST:
        return None
    tried = [replace(fit.hyper, recency=float(value)) for value in _RECENCIES]
    data = CountedScores(scores, fit.model)
    posteriors = (Fit(fit.model, data, hyper, fit.own, fit.step) for hyper in tried)
    logs = np.array([posterior.log_evidence + posterior.hyper.log_prior() for posterior in posteriors])
    weights = np.exp(logs - logs.max())
    cumulated = np.cumsum(weights) / weights.sum()
    middle, low, high = (
        float(np.interp(level, cumulated, _RECENCIES)) for level in (0.5, (1 - confidence) / 2, (1 + confidence) / 2)
    )
    ratios = [(1 + value) / (1 - value) for value in (middle, low, high)]
    return Estimate(ratios[0], ratios[1], ratios[2], several)
