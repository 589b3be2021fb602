"""Single-answer grading by a rubric and a scale of one's own (see `evaluators.judge_tools.rubric_file`)."""

import json
import re
from collections.abc import Sequence
from typing import Self

from configs.errors import InputError
from configs.schema.judge import RubricJudgeConfig
from evaluators.judge import Verdict
from evaluators.judge_tools.chat_model import ChatModel
from evaluators.judge_tools.grading import grade_in_words
from evaluators.judge_tools.judge_prompts import JudgePrompt
from evaluators.judge_tools.ratings import PARSER_VERSION, Scale
from evaluators.judge_tools.rubric_file import read_rubric, spell_conversation
from evaluators.question import Question
from workers.service.reply import Message

_FIELDS = frozenset({"question", "answer", "reference", "conversation"})
_SHOWN = frozenset({"answer", "conversation"})


class RubricJudge:
    """A language model that rates one answer. Make it with `load`.

    Args:
        fields: that the prompt has.
    """

    def __init__(
        self, config: RubricJudgeConfig, chat_model: ChatModel, prompt: JudgePrompt, fields: set[str], scale: Scale
    ) -> None:
        self._config = config
        self._chat_model = chat_model
        self._prompt = prompt
        self._fields = fields
        self._scale = scale

    @classmethod
    def load(cls, config: RubricJudgeConfig, chat_model: ChatModel) -> Self:
        """Read the rubric; nothing is sent. The chat model is closed with the judge.

        Raises:
            InputError: the rubric or the scale cannot work.
        """
        prompt, fields = read_rubric(config.rubric_path, _FIELDS, (_SHOWN,))
        return cls(config, chat_model, prompt, fields, Scale(config.low, config.high, (_compiled(config.pattern),)))

    @property
    def fingerprint(self) -> str:
        return json.dumps(
            {
                "kind": "rubric",
                "chat model": self._chat_model.identity,
                "prompt": self._prompt.digest,
                "scale": [self._config.low, self._config.high, self._config.pattern],
                "temperature": self._config.temperature,
                "max_tokens": self._config.max_tokens,
                "parser": PARSER_VERSION,
            },
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
            raise InputError(
                f"{self._config.rubric_path} shows the judge {{reference}}, and {len(lacking)} questions have none "
                f"(first: {lacking[0]}); give them, or leave it out"
            )

    def messages(self, question: Question, answers: tuple[str, ...]) -> list[Message]:
        """What the judge is sent, to grade the last of these answers."""
        turn = len(answers) - 1
        self.check([question], [turn])
        return self._prompt.messages(
            question=question.turns[turn],
            answer=answers[turn],
            reference=question.reference(turn) or "",
            conversation=spell_conversation(question, answers),
        )

    async def start(self) -> None:
        await self._chat_model.start()

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        messages = self.messages(question, answers)
        return await grade_in_words(self._chat_model, messages, self._config, self._scale.read, repeat)

    async def close(self) -> None:
        await self._chat_model.close()

    def _can_be_graded(self, question: Question, turns: Sequence[int]) -> bool:
        if "reference" not in self._fields:
            return True
        return all(question.reference(turn) for turn in turns if turn < len(question.turns))


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise InputError(f"judge.pattern {pattern!r} is no regular expression ({error}): mend it") from error
    if compiled.groups != 1:
        raise InputError(
            f"judge.pattern {pattern!r} has {compiled.groups} groups and must have one, the rating: write others as "
            "(?:...)"
        )
    return compiled
