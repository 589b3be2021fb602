"""The interface of everything that scores an answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from evaluators.question import Question
from workers.usage import NOTHING, Usage


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge made of one answer.

    Attributes:
        score: finite, on the judge's own scale; larger is better.
        words: what the judge said, for people; "" for a metric.
        usage: what it cost.
        model: who judged, by a service's own word; "" where it does not say, or no service is asked. It makes no
            difference to what was said.
    """

    score: float
    words: str = ""
    usage: Usage = NOTHING
    model: str = field(default="", compare=False)


class Judge(Protocol):
    """Scores one answer at a time; many calls may be open at once, the judge limits itself."""

    @property
    def fingerprint(self) -> str:
        """Everything that can change a verdict except question and answers: kind, model, prompts' digest, decoding,
        parser version. Part of every verdict's key."""
        ...

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:
        """Called before anything is spent.

        Args:
            turns: those that will be judged, from 0; a question may have fewer.

        Raises:
            InputError: a question lacks what this judge needs.
        """
        ...

    async def start(self) -> None:
        """Load what must be loaded, once, before the first verdict. Idempotent.

        Raises:
            InputError: it cannot be loaded.
        """
        ...

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        """Score the last of these answers, which the question's turns got one by one; at least one.

        Args:
            repeat: which of several verdicts on the same answers; a judge that draws at random draws anew for each.

        Raises:
            VerdictUnreadable: no rating in what it said.
            DemosearchError: no verdict for this answer (JudgeFailed, or a service's own).
            RunStopped: no verdict for any answer until a person acts.
        """
        ...

    async def close(self) -> None:
        """Refuse (JudgeFailed) what has not been sent yet, wait for what has been, give connections back.

        Idempotent, and for good.
        """
        ...
