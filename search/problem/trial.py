"""A trial and what came of it: what strategies ask for and are given back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from statistics import fmean
from typing import Literal

from configs.plural import show_many
from search.problem.candidate import Candidate
from workers.failures import PromptTooLong

TOO_LONG = PromptTooLong.__name__
NOT_LOADED = "ModelNotLoaded"
LASTING = frozenset(
    {TOO_LONG, "ConversationTooLong", "RequestTooLong", "BadRequest", "ContentFiltered", "VerdictUnreadable"}
)
"""Causes of failures that belong to prompt, answer or judge; every other one, such as an outage, may pass."""

Side = Literal["search", "held_out"]
"""A side of the split: questions that guide the search, and questions that only judge its winner."""


def mean_of(scores: Mapping[str, float], failed: int, max_failed_share: float) -> float | None:
    """The mean over the questions that have a score; None when more than this share of all, rounded up, has failed."""
    allowed = ceil(round(max_failed_share * (len(scores) + failed), 9))  # 0.07 * 100 is a little more than 7
    return fmean(scores.values()) if scores and failed <= allowed else None


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate with the block of questions it is to be evaluated on (question ids, never empty).

    Attributes:
        again: 0 for a first time. Else the judge gives its n-th further verdicts on answers that may have been judged
            before: what it says now, not what it said then.
        screening: whether the screening judge scores the answers, in the place of the judge.
    """

    candidate: Candidate
    questions: tuple[str, ...]
    again: int = 0
    screening: bool = False

    @property
    def tells_scores(self) -> bool:
        """Whether its scores are the candidate's: the judge's own, and its first ones on these answers."""
        return not self.again and not self.screening


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
        keys: by question id, under which the ledger has the answers and their verdicts (`AnswerKeys`, as text).
        answers: by question id, turn by turn; none where the trial is told from the journal.
        complaint: the sentence of its first failure; "" where there is none, or the trial is told from the journal.
    """

    trial: Trial
    scores: dict[str, float]
    failures: dict[str, str]
    mean: float | None
    lengths: dict[str, int] = field(default_factory=dict)
    turns: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    complaint: str = field(default="", compare=False, repr=False)

    @property
    def what_failed(self) -> str:
        """How many of its questions failed, and why, for people."""
        reason = self.complaint or ", ".join(sorted(set(self.failures.values())))
        return f"{len(self.failures):,} of {show_many(len(self.trial.questions), 'question')} failed ({reason})"

    @property
    def may_improve(self) -> bool:
        """Whether any of its failures may pass when it is scored again."""
        return not LASTING.issuperset(self.failures.values())
