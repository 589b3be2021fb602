"""One question answered and judged, or the reason why not."""

from dataclasses import dataclass
from typing import Literal

from evaluators.answer_keys import AnswerKeys


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A prompt answered and judged.

    Attributes:
        question: its id.
        answers: the completions, turn by turn, cleaned up; what the judge read.
        scores: by turn; None for a turn that the objective does not weigh.
        score: the objective: finite, on the judge's scale.
        keys: under which the ledger has the answers and the verdicts.
    """

    question: str
    answers: tuple[str, ...]
    scores: tuple[float | None, ...]
    score: float
    keys: AnswerKeys

    @property
    def length(self) -> int:
        """Characters of all answers together."""
        return sum(len(answer) for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Failure:
    """A prompt that could not be answered or judged. Never a score, never kept as one.

    Attributes:
        question: its id.
        stage: where it failed.
        cause: the error's kind, for counting ("PromptTooLong", "VerdictUnreadable").
        message: the error's sentence.
    """

    question: str
    stage: Literal["generation", "verdict"]
    cause: str
    message: str
