"""The interface of everything that scores an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from evaluators.question import Question


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge made of one answer.

    Attributes:
        score: finite, on the judge's own scale; larger is better.
        words: what the judge said, for people; "" for a metric.
        prompt_tokens: tokens read, as the service reports them; 0 for a metric.
        new_tokens: tokens written, likewise.
    """

    score: float
    words: str = ""
    prompt_tokens: int = 0
    new_tokens: int = 0


class Judge(Protocol):
    """Scores one answer at a time; many calls may be open at once, the judge limits itself."""

    @property
    def fingerprint(self) -> str:
        """Everything that can change a verdict except question and answer: kind, model, prompts' digest, decoding,
        parser version. Part of every verdict's key."""
        ...

    def check(self, questions: Sequence[Question]) -> None:
        """Called before anything is spent.

        Raises:
            InputError: a question lacks what this judge needs.
        """
        ...

    async def judge(self, question: Question, answer: str) -> Verdict:
        """Score this answer.

        Raises:
            VerdictUnreadable: no rating in what it said.
            JudgeFailed: no verdict for this answer.
            JudgeRefused: no verdict for any answer until a person acts.
        """
        ...

    async def close(self) -> None:
        """Refuse (JudgeFailed) what has not been sent yet, wait for what has been, give connections back.

        Idempotent, and for good.
        """
        ...
