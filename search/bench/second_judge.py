"""A landscape with a second, cheap judge, whose liking for demonstrations goes with the first one's as far as wanted.

What demonstrations do in its eyes is `agreement` times what they do in the judge's, plus what is left of 1 times the
same of demonstrations dealt anew: effects, pairs and questions' own alike. Questions have levels and noise of their
own; half of the noise's spread belongs to the answer, which both judges see. One that loves length adds what each
demonstration's length makes answers gain in its eyes alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from search.bench.landscape import Landscape
from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial


@dataclass(frozen=True, slots=True)
class SecondJudgeKnobs:
    """What the cheap judge is like.

    Attributes:
        agreement: correlation of effects with the judge's, in [0, 1], before length comes on top.
        length: spread of what lengths of demonstrations do in its eyes, in points.
    """

    agreement: float
    length: float = 0.0


SECOND_JUDGES = {
    **{f"{agreement:g}": SecondJudgeKnobs(agreement) for agreement in (0.0, 0.3, 0.6, 0.8, 0.95)},
    "length": SecondJudgeKnobs(0.3, 0.45),
}


class JudgedTwice:
    """A landscape whose trials may be scored by one of `SECOND_JUDGES` too, which has this name; truth is the first
    one's."""

    def __init__(self, landscape: Landscape, name: str, seed: int) -> None:
        knobs = SECOND_JUDGES[name]
        self._landscape = landscape
        self._second = landscape.under_another_judge(knobs.agreement, knobs.length, seed)
        self.held_out = landscape.held_out

    def score(self, trial: Trial, *, moment: float) -> ScoredTrial:
        """See `Landscape.score`; the judge is the one that the trial names."""
        return (self._second if trial.screening else self._landscape).score(trial, moment=moment)

    def truth(self, candidate: Candidate, questions: Sequence[str]) -> float:
        """See `Landscape.truth`."""
        return self._landscape.truth(candidate, questions)
