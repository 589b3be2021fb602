"""What is known of one candidate, or of one variant of an evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from search.statistics.estimates import Estimate, estimate, paired_difference
from search.statistics.intervals import Bounds


@dataclass(frozen=True, slots=True)
class CandidateResults:
    """Results of one candidate on one side of the split, all its trials together.

    Attributes:
        place: of its first trial among those of its side, from 0.
        scores: by question id, of trials that have a mean.
        failures: by question id, the cause, of questions without a score.
        lengths: of the answers, by question id, in characters.
        turns: by question id, the scores by turn where there are several.
        starts: where its records stand in the journal, in bytes.
        bounds: lowest and highest score there can be; None where that is not known.
    """

    place: int
    scores: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    turns: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    starts: Sequence[int] = ()
    bounds: Bounds | None = None

    def of_turn(self, turn: int) -> dict[str, float]:
        """Scores of this turn, from 0, by question; those of a turn that does not count, or was not reached, are
        absent."""
        scores = {name: turns[turn] for name, turns in self.turns.items() if turn < len(turns)}
        return {name: score for name, score in scores.items() if score is not None}

    def mean(self, confidence: float) -> Estimate | None:
        """None where nothing was scored."""
        return estimate([*self.scores.values()], confidence, len(self.failures), self.bounds)

    def mean_length(self, confidence: float) -> Estimate | None:
        """Mean length of the answers, in characters; None where nothing was scored."""
        return estimate([*self.lengths.values()], confidence)

    def gain(self, base: "CandidateResults", confidence: float) -> Estimate | None:
        """Paired difference to the base prompt; `failed` are the questions that one of the two has no score for because
        it failed."""
        difference = paired_difference(self.scores, base.scores, confidence, self.bounds)
        return difference and replace(difference, failed=len(self.failures.keys() | base.failures.keys()))

    def gains(self, base: "CandidateResults") -> dict[str, float]:
        """Differences to the base prompt, by question that both have a score for."""
        return {name: score - base.scores[name] for name, score in self.scores.items() if name in base.scores}
