"""Single-answer grading by a rubric and a scale of one's own (see `evaluators.judge_tools.rubric_file`)."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.judge import RubricJudgeConfig
from evaluators.failures import ReferencesMissing
from evaluators.judge import Verdict
from evaluators.judge_tools.chat_model import ChatModel
from evaluators.judge_tools.fence import fence_of, with_notice
from evaluators.judge_tools.grading import grade_in_words, reading_identity
from evaluators.judge_tools.judge_prompts import JudgePrompt
from evaluators.judge_tools.models import Models
from evaluators.judge_tools.ratings import RatingForm, Scale
from evaluators.judge_tools.rubric_file import read_rubric, spell_conversation
from evaluators.question import Question
from workers.prompt import ChatMessage

_FIELDS = frozenset({"question", "answer", "reference", "conversation"})
_SHOWN = frozenset({"answer", "conversation"})


class RubricJudge:
    """A language model that rates one answer. Make it with `load`.

    Args:
        fields: that the prompt has.
    """

    def __init__(
        self,
        config: RubricJudgeConfig,
        chat_model: ChatModel,
        prompt: JudgePrompt,
        fields: frozenset[str],
        scale: Scale,
    ) -> None:
        self._config = config
        self._chat_model = chat_model
        self._prompt = prompt
        self._fields = fields
        self._scale = scale

    @classmethod
    def from_config(cls, config: RubricJudgeConfig, models: Models) -> Sequence[Self]:
        """The judge of this config. Raises InputError where it cannot be made."""
        return (cls.load(config, models.chat(config)),)

    @classmethod
    def load(cls, config: RubricJudgeConfig, chat_model: ChatModel) -> Self:
        """Read the rubric; nothing is sent. The chat model is closed with the judge.

        Raises:
            InputError: the rubric or the scale cannot work.
        """
        prompt, fields = read_rubric(config.rubric_path, _FIELDS, (_SHOWN,))
        scale = Scale(config.low, config.high, (_compiled(config.pattern),))
        if config.rating == "expected":
            _check_expected(config, scale)
        return cls(config, chat_model, prompt, fields, scale)

    @classmethod
    def form_of(cls, fingerprint: Mapping[str, Any]) -> RatingForm:
        """What ratings look like in the words of a judge with this fingerprint."""
        low, high, pattern = fingerprint["scale"]
        return Scale(low, high, (re.compile(pattern),))

    @property
    def fingerprint(self) -> str:
        return json.dumps(
            {
                "kind": "rubric",
                "chat model": self._chat_model.identity,
                "prompt": self._prompt.digest,
                "scale": [self._config.low, self._config.high, self._config.pattern],
            }
            | reading_identity(self._config),
            sort_keys=True,
        )

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:
        if max(turns) > 0 and "conversation" not in self._fields:
            raise InputError(
                f"{self._config.rubric_path} shows one turn alone and later turns count: put {{conversation}} into it, "
                "or set scoring.objective to turn_1"
            )
        lacking = [question.id for question in questions if not self._can_be_graded(question, turns)]
        if lacking:
            raise ReferencesMissing(
                f"{self._config.rubric_path} shows the judge {{reference}}, and "
                f"{show_many(len(lacking), 'question has', 'questions have')} none "
                f"(first: {lacking[0]}); give them, or leave it out"
            )

    def messages(self, question: Question, answers: tuple[str, ...]) -> list[ChatMessage]:
        """What the judge is sent, to grade the last of these answers."""
        turn = len(answers) - 1
        self.check([question], [turn])
        reference = question.reference(turn) or ""
        if not self._config.fence_answers:
            return self._filled(question.turns, answers, reference)
        asked = {f"question {number}": text for number, text in enumerate(question.turns[: turn + 1])}
        answer_fields = {f"answer {number}": text for number, text in enumerate(answers)}
        fence = fence_of((self._prompt.system, self._prompt.template), self._scale.patterns)
        shown = fence.show({**asked, **answer_fields, "reference": reference}, frozenset(answer_fields))
        return with_notice(
            self._filled([shown[name] for name in asked], [shown[name] for name in answer_fields], shown["reference"])
        )

    def _filled(self, questions: Sequence[str], answers: Sequence[str], reference: str) -> list[ChatMessage]:
        return self._prompt.messages(
            question=questions[len(answers) - 1],
            answer=answers[-1],
            reference=reference,
            conversation=spell_conversation(questions, answers),
        )

    async def start(self) -> None:
        await self._chat_model.start()

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        messages = self.messages(question, answers)
        return await grade_in_words(self._chat_model, messages, self._config, self._scale, repeat)

    async def close(self) -> None:
        await self._chat_model.close()

    def _can_be_graded(self, question: Question, turns: Sequence[int]) -> bool:
        if "reference" not in self._fields:
            return True
        return all(question.reference(turn) for turn in turns if turn < len(question.turns))


def _check_expected(config: RubricJudgeConfig, scale: Scale) -> None:
    if len(scale.choices) < 2:
        raise InputError(
            f"judge.rating=expected weighs whole numbers, and the scale from {config.low:g} to {config.high:g} has "
            f"{len(scale.choices)}: set judge.low and judge.high to a scale of whole numbers"
        )
    if re.fullmatch(r".*\([^()]*\)\s*", config.pattern):
        raise InputError(
            f"judge.rating=expected needs something behind the rating, so that 1 is not the beginning of 10, and "
            f"judge.pattern {config.pattern!r} ends with it: add a bracket or a tag there, as in [[7]]"
        )


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise InputError(f"judge.pattern {pattern!r} is not a regular expression ({error}): correct it") from error
    if compiled.groups != 1:
        raise InputError(
            f"judge.pattern {pattern!r} has {compiled.groups} groups and must have one, the rating: write others as "
            "(?:...)"
        )
    return compiled
