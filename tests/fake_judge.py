"""A judge without a model: scores by hash, fails where told."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence

from configs.errors import InputError
from evaluators.judge import Verdict
from evaluators.question import Question
from workers.usage import Usage


def hash_score(question: Question, answer: str) -> float:
    """From 1 to 10, by the question's id and the answer."""
    return 1 + hashlib.sha256(f"{question.id}\n{answer}".encode()).digest()[0] * 9 / 255


class FakeJudge:
    """Passes the judge kit.

    Args:
        score: of a question and an answer.
        failing: question id → the error its every verdict raises.
        needs_reference: `check` refuses questions without one.

    Attributes:
        calls: (question id, answer) in the order judged.
        closed: how often it was closed.
    """

    def __init__(
        self,
        score: Callable[[Question, str], float] = hash_score,
        failing: Mapping[str, Exception] | None = None,
        needs_reference: bool = False,
    ) -> None:
        self.calls: list[tuple[str, str]] = []
        self.closed = 0
        self._score = score
        self._failing = failing or {}
        self._needs_reference = needs_reference

    @property
    def fingerprint(self) -> str:
        return f"fake judge, {getattr(self._score, '__name__', 'score')}"

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:
        if self._needs_reference and any(question.reference() is None for question in questions):
            raise InputError("the fake judge needs references")

    async def start(self) -> None:
        return None

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        answer = answers[-1]
        self.calls.append((question.id, answer))
        await asyncio.sleep(0)
        if question.id in self._failing:
            raise self._failing[question.id]
        return Verdict(self._score(question, answer), "as the fake sees it", Usage(1, 5, 0, 5))

    async def close(self) -> None:
        self.closed += 1
