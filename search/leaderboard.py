"""What has been told of each candidate so far."""

from collections.abc import Sequence
from statistics import fmean

from search.candidate import Candidate
from search.strategy import ScoredTrial


class Leaderboard:
    """Candidates by mean score over all questions they have been told on; equal means keep the order told."""

    def __init__(self) -> None:
        self._scores: dict[Candidate, dict[str, float]] = {}
        self._means: dict[Candidate, float] = {}

    def tell(self, scored: ScoredTrial) -> None:
        """Take a result; one without a mean does not enter."""
        if scored.mean is None:
            return
        scores = self._scores.setdefault(scored.trial.candidate, {})
        scores |= scored.scores
        self._means[scored.trial.candidate] = fmean(scores.values())

    def mean(self, candidate: Candidate) -> float | None:
        """None for a candidate that has no mean."""
        return self._means.get(candidate)

    def scores(self, candidate: Candidate) -> dict[str, float]:
        """By question id."""
        return self._scores.get(candidate, {})

    def ranking(self) -> Sequence[Candidate]:
        """Best first."""
        return sorted(self._means, key=lambda candidate: -self._means[candidate])
