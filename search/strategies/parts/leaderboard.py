"""What has been told of each candidate so far."""

from collections.abc import Sequence
from statistics import fmean

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial

_IMAGINARY = 8  # questions without any difference to the base prompt


class Leaderboard:
    """Candidates by their mean score; equal means keep the order told.

    The candidate told first is the base prompt. One that has scores on other questions than it, because some failed or
    were never asked, has the base prompt's mean plus its mean difference to it on common questions: so nobody leads for
    having failed on hard ones. With the same questions that is the plain mean.
    """

    def __init__(self) -> None:
        self._base: Candidate | None = None
        self._scores: dict[Candidate, dict[str, float]] = {}
        self._means: dict[Candidate, float] = {}
        self._gains: dict[Candidate, float] = {}  # shrunken; those that are still right

    def tell(self, scored: ScoredTrial) -> None:
        """Take a result; one without a mean does not enter."""
        candidate = scored.trial.candidate
        if self._base is None:
            self._base = candidate
        if scored.mean is None:
            return
        self._scores.setdefault(candidate, {}).update(scored.scores)
        for met in self._scores if candidate == self._base else (candidate,):
            self._means[met] = self._mean(met)
        self._gains.pop(candidate, None)

    def _mean(self, candidate: Candidate) -> float:
        scores, of_base = self._scores[candidate], self.scores(self._base) if self._base else {}
        common = scores.keys() & of_base.keys()
        if not common or len(common) == max(len(scores), len(of_base)):
            return fmean(scores.values())
        return fmean(of_base.values()) + fmean(scores[name] - of_base[name] for name in sorted(common))

    def mean(self, candidate: Candidate) -> float | None:
        """None for a candidate that has no mean."""
        return self._means.get(candidate)

    def scores(self, candidate: Candidate) -> dict[str, float]:
        """Scores by question id."""
        return self._scores.get(candidate, {})

    def ranking(self) -> Sequence[Candidate]:
        """Best first."""
        return sorted(self._means, key=lambda candidate: -self._means[candidate])

    def shrunk_ranking(self, base: Candidate) -> Sequence[Candidate]:
        """Best first, for candidates told on different questions: by the mean difference to the base prompt on common
        ones, drawn towards none by a few imaginary questions. The base prompt comes before those without gain."""
        if base not in self._gains:
            self._gains.clear()
        gains = self._gains
        gains |= {candidate: self._shrunk_gain(candidate, base) for candidate in self._means if candidate not in gains}
        order = {candidate: place for place, candidate in enumerate(self._means)}
        return sorted(gains, key=lambda candidate: (-gains[candidate], candidate != base, order[candidate]))

    def _shrunk_gain(self, candidate: Candidate, base: Candidate) -> float:
        of_base, scores = self.scores(base), self._scores[candidate]
        gains = [scores[name] - of_base[name] for name in scores if name in of_base]
        return sum(gains) / (len(gains) + _IMAGINARY)
