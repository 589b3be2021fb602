"""Comparison with the question's baseline, by FastChat's pairwise prompts (Zheng et al. 2023) or a rubric of one's own.

Each order of the two answers is a judge of its own, with verdicts of its own: a panel has both as members, and the mean
of the two is the comparison without a liking for a position.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.judge import PairwiseJudgeConfig
from evaluators.benchmarks.mt_bench import JUDGED_BY_REFERENCE
from evaluators.failures import ReferencesMissing
from evaluators.judge import Verdict
from evaluators.judge_tools.chat_model import ChatModel
from evaluators.judge_tools.fence import fenced_messages
from evaluators.judge_tools.grading import grade_in_words, reading_identity
from evaluators.judge_tools.judge_prompts import JudgePrompt, read_judge_prompts
from evaluators.judge_tools.models import Models
from evaluators.judge_tools.ratings import RatingForm, Winners
from evaluators.judge_tools.rubric_file import read_rubric
from evaluators.question import Question
from workers.prompt import ChatMessage

_FASTCHAT = {
    "pair-v2": frozenset({"question", "answer_a", "answer_b"}),
    "pair-math-v1": frozenset({"question", "answer_a", "answer_b", "ref_answer_1"}),
}
_FIELDS = frozenset({"question", "answer_a", "answer_b", "reference"})
_SHOWN = (frozenset({"answer_a"}), frozenset({"answer_b"}))


@dataclass(frozen=True, slots=True)
class PairPrompts:
    """What the judge is asked with.

    Attributes:
        plain: without a reference.
        with_reference: with one. Of a rubric one of the two is None, since it is the same for every question.
    """

    plain: JudgePrompt | None
    with_reference: JudgePrompt | None

    @classmethod
    def read(cls, config: PairwiseJudgeConfig) -> Self:
        """Raises InputError where the file cannot work."""
        if config.prompts_path is not None:
            prompts = read_judge_prompts(config.prompts_path, _FASTCHAT)
            return cls(prompts["pair-v2"], prompts["pair-math-v1"])
        assert config.rubric_path is not None
        prompt, fields = read_rubric(config.rubric_path, _FIELDS, _SHOWN)
        return cls(None, prompt) if "reference" in fields else cls(prompt, None)

    def of(self, question: Question) -> JudgePrompt:
        """The one for this question."""
        prompt = self.with_reference if self.needs_reference(question) else self.plain
        assert prompt is not None
        return prompt

    def needs_reference(self, question: Question) -> bool:
        """FastChat's prompts show one for some categories, a rubric for all questions or for none."""
        if self.plain is None or self.with_reference is None:
            return self.plain is None
        return question.category in JUDGED_BY_REFERENCE

    @property
    def digests(self) -> list[str]:
        return [prompt.digest for prompt in (self.plain, self.with_reference) if prompt is not None]


class PairwiseJudge:
    """A language model that names the better of two answers: 1 where ours wins, 0 where the baseline does, else 0.5.

    Args:
        chat_model: closed with the judge; several judges may share it.
        answer_first: our answer is A, else B.
    """

    def __init__(
        self, config: PairwiseJudgeConfig, chat_model: ChatModel, prompts: PairPrompts, answer_first: bool = True
    ) -> None:
        self._config = config
        self._chat_model = chat_model
        self._prompts = prompts
        self._winners = Winners("A" if answer_first else "B")

    @classmethod
    def from_config(cls, config: PairwiseJudgeConfig, models: Models) -> Sequence[Self]:
        """A judge for each order of the answers; they share a chat model. Raises InputError where none can be made."""
        prompts, chat_model = PairPrompts.read(config), models.chat(config)
        return tuple(cls(config, chat_model, prompts, first) for first in ((True, False) if config.swap else (True,)))

    @classmethod
    def form_of(cls, fingerprint: Mapping[str, Any]) -> RatingForm:
        """What ratings look like in the words of a judge with this fingerprint."""
        return Winners(fingerprint["ours"])

    @property
    def fingerprint(self) -> str:
        return json.dumps(
            {
                "kind": "pairwise",
                "chat model": self._chat_model.identity,
                "prompts": self._prompts.digests,
                "ours": self._winners.ours,
            }
            | reading_identity(self._config),
            sort_keys=True,
        )

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:
        if max(turns) > 0:
            raise InputError(
                "the pairwise judge compares first turns, since a baseline has one answer only: set scoring.objective "
                "to turn_1"
            )
        lacking = [question.id for question in questions if question.baseline is None]
        if lacking:
            raise ReferencesMissing(
                "the pairwise judge compares answers with a baseline's, and "
                f"{show_many(len(lacking), 'question has', 'questions have')} none "
                f"(first: {lacking[0]}); give questions.baseline_path"
            )
        unknown = [
            question.id
            for question in questions
            if self._prompts.needs_reference(question) and not question.reference()
        ]
        if unknown:
            raise ReferencesMissing(
                "the pairwise judge is shown reference answers, and "
                f"{show_many(len(unknown), 'question has', 'questions have')} none (first: "
                f"{unknown[0]}); give them, for example with questions.reference_path"
            )

    def messages(self, question: Question, answers: tuple[str, ...]) -> list[ChatMessage]:
        """What the judge is sent, to compare the only one of these answers with the baseline."""
        self.check([question], [len(answers) - 1])
        pair = (answers[0], question.baseline or "")
        first, second = pair if self._winners.ours == "A" else pair[::-1]
        reference, prompt = question.reference() or "", self._prompts.of(question)
        fields = {"question": question.query, "answer_a": first, "answer_b": second}
        fields |= {"ref_answer_1": reference, "reference": reference}
        if not self._config.fence_answers:
            return prompt.messages(**fields)
        return fenced_messages(prompt, fields, frozenset({"answer_a", "answer_b"}), self._winners)

    async def start(self) -> None:
        await self._chat_model.start()

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        messages = self.messages(question, answers)
        return await grade_in_words(self._chat_model, messages, self._config, self._winners, repeat)

    async def close(self) -> None:
        await self._chat_model.close()
