"""The interface of everything that decides which demonstrations to try."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    """

    trial: Trial
    scores: dict[str, float]
    failures: dict[str, str]
    mean: float | None


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
        """How many trials it will ask for in all, as far as it knows; an upper bound, for the progress view."""
        ...

    def ranking(self) -> Sequence[Candidate]:
        """Every candidate it would recommend, best first, from what it has been told; empty before the first tell."""
        ...
