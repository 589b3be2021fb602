"""The interface of everything that decides which demonstrations to try."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from search.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate with the block of questions it is to be evaluated on (question ids, never empty)."""

    candidate: Candidate
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoredTrial:
    """What came of a trial.

    Attributes:
        trial: as asked.
        scores: by question id, on the judge's scale; a failed question is absent.
        failures: by question id, the cause in a few words.
        mean: of `scores`; None when more questions failed than the config allows. Never NaN.
        lengths: of the answers, by question id, in characters.
        turns: by question id, the scores by turn where there are several; None for a turn that does not count.
        answers: by question id, turn by turn; none where the trial is told from the journal.
    """

    trial: Trial
    scores: dict[str, float]
    failures: dict[str, str]
    mean: float | None
    lengths: dict[str, int] = field(default_factory=dict)
    turns: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)


class Strategy(Protocol):
    """Decides the next trials from the scores of the earlier ones. Deterministic: the same seed and the same sequence
    of calls give the same trials, so that a resumed run walks the same path."""

    def ask(self, room: int) -> Sequence[Trial]:
        """At most `room` (>= 1) further trials. None: nothing until something is told; while nothing is under way,
        that ends the search."""
        ...

    def tell(self, scored: ScoredTrial) -> None:
        """Take a result, in the order asked. The very first one told is the base prompt's, on all guiding questions;
        the strategy does not ask for it."""
        ...

    def planned(self) -> int:
        """How many answers it will ask for in all, the base prompt's included: an upper bound, as far as it knows."""
        ...

    def ranking(self) -> Sequence[Candidate]:
        """Every candidate it would recommend, best first, from what it has been told; empty before the first tell."""
        ...
