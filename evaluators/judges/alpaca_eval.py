"""AlpacaEval 2.0's weighted preference (Dubois et al. 2024), as its annotator `weighted_alpaca_eval_gpt4_turbo` has it.

The judge sees both answers and names the better one in a single token, `m` (shown first) or `M`. The preference is how
probable the token of ours is among the two; so it is the package's preference minus 1. Which answer is shown first is
drawn by the package's own rule: a random choice seeded by its name for the draw, the instruction and its seed, 0.

With `fence_answers: false` the prompt is the published one, byte for byte.

Two differences, on purpose: an answer that contains `{output_2}` or the like is shown as it is (the package would fill
it in), and a verdict without either token among the five likeliest fails (the package drops it from the mean), as does
one where ` m` or ` M` is likelier than both (the package reads what is left).
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Self, cast

from configs.errors import InputError
from configs.plural import show_many
from configs.schema.judge import AlpacaEvalJudgeConfig
from configs.text_files import read_text
from evaluators.failures import ReferencesMissing, VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.judge_tools.chat_model import ChatModel, FirstTokenLogprobs
from evaluators.judge_tools.fence import FENCE_VERSION, fence_of, with_notice
from evaluators.judge_tools.grading import ATTEMPTS, Reading, grade
from evaluators.judge_tools.models import Models
from evaluators.question import Question
from workers.prompt import ChatMessage

READER_VERSION = "2"
"""Raise it whenever some answer of the judge would become another preference."""

TOP = 5  # likeliest tokens looked at
FIRST, SECOND = "m", "M"
_DRAW, _SEED = "is_switched_outputs", "0"
_PART = re.compile(r"<\|im_start\|>(?P<role>.*?)\n(?P<content>.*?)<\|im_end\|>", re.DOTALL)
_FIELD = re.compile(r"\{(instruction|output_1|output_2)\}")
_ROLES = ("system", "user", "assistant")


class AlpacaEvalJudge:
    """Scores from 0 (the baseline is better for certain) to 1. Make it with `load`."""

    def __init__(self, config: AlpacaEvalJudgeConfig, chat_model: ChatModel, template: Sequence[ChatMessage]) -> None:
        self._config = config
        self._chat_model = chat_model
        self._template = template

    @classmethod
    def from_config(cls, config: AlpacaEvalJudgeConfig, models: Models) -> Sequence[Self]:
        """The judge of this config. Raises InputError where it cannot be made."""
        return (cls.load(config, models.chat(config)),)

    @classmethod
    def load(cls, config: AlpacaEvalJudgeConfig, chat_model: ChatModel) -> Self:
        """Read the prompt; nothing is sent. The chat model is closed with the judge.

        Raises:
            InputError: the prompt is not there.
        """
        return cls(config, chat_model, read_chat_markup(config.prompt_path))

    @property
    def fingerprint(self) -> str:
        return json.dumps(
            {
                "kind": "alpaca_eval",
                "chat model": self._chat_model.identity,
                "prompt": sha256(json.dumps(self._template).encode()).hexdigest(),
                "order": _DRAW + _SEED,
                "top": TOP,
                "reader": READER_VERSION,
                "fence": FENCE_VERSION if self._config.fence_answers else None,
            },
            sort_keys=True,
        )

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:
        if max(turns) > 0:
            raise InputError("AlpacaEval compares first turns: set scoring.objective to turn_1")
        lacking = [question.id for question in questions if question.baseline is None]
        if lacking:
            raise ReferencesMissing(
                "AlpacaEval compares answers with a baseline's, and "
                f"{show_many(len(lacking), 'question has', 'questions have')} none (first: "
                f"{lacking[0]}); set questions.benchmark to alpaca_eval, or give questions.baseline_path"
            )

    def messages(self, question: Question, answers: tuple[str, ...]) -> list[ChatMessage]:
        """What the judge is sent, to compare the only one of these answers with the baseline."""
        self.check([question], [len(answers) - 1])
        pair = (answers[0], question.baseline or "")
        first, second = pair if shows_ours_first(question.query) else pair[::-1]
        fields = {"instruction": question.query, "output_1": first, "output_2": second}
        if self._config.fence_answers:
            fence = fence_of(tuple(part["content"] for part in self._template))
            return with_notice(self._filled(fence.show(fields, frozenset({"output_1", "output_2"}))))
        return self._filled(fields)

    def _filled(self, fields: Mapping[str, str]) -> list[ChatMessage]:
        return [
            {"role": part["role"], "content": _FIELD.sub(lambda field: fields[field[1]], part["content"])}
            for part in self._template
        ]

    async def start(self) -> None:
        await self._chat_model.start()

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        messages = self.messages(question, answers)
        if answers[0] == question.baseline:
            return Verdict(0.5, "the same as the baseline")
        ours_first = shows_ours_first(question.query)

        async def read(logprobs: FirstTokenLogprobs) -> Reading:
            return Reading(_score(logprobs, ours_first))

        return await grade(
            lambda attempt: self._chat_model.first_token_logprobs(
                messages, (FIRST, SECOND), TOP, ATTEMPTS * repeat + attempt
            ),
            read,
            self._config.unreadable_retries,
        )

    async def close(self) -> None:
        await self._chat_model.close()


def shows_ours_first(instruction: str) -> bool:
    """Whether the package switches the two, of which the baseline is the first."""
    return Random(_DRAW + instruction + _SEED).choices([False, True])[0]  # noqa: S311 -- the package's draw


def preference_for_first(log_probabilities: Mapping[str, float]) -> float:
    """How much the judge prefers the answer shown first, from 0 to 1; a token that it did not tell of has none.

    Raises:
        VerdictUnreadable: it told of neither.
    """
    first, second = (log_probabilities.get(token, -math.inf) for token in (FIRST, SECOND))
    likelier = max(first, second)
    if likelier == -math.inf:
        raise VerdictUnreadable(f"neither {FIRST} nor {SECOND} is among the judge's likeliest first tokens")
    first, second = math.exp(first - likelier), math.exp(second - likelier)
    return first / (first + second)


def _score(logprobs: FirstTokenLogprobs, ours_first: bool) -> float:
    try:
        preference = preference_for_first(logprobs.log_probabilities)
    except VerdictUnreadable as error:
        raise VerdictUnreadable(f"{error}; it said: {logprobs.text!r}") from None
    return preference if ours_first else 1 - preference


def read_chat_markup(path: Path) -> list[ChatMessage]:
    """The messages of a prompt file: parts such as `<|im_start|>user`, a line break, the text, `<|im_end|>`.

    Raises:
        InputError: no such file, no such parts, or not each of {instruction}, {output_1}, {output_2} once.
    """
    try:
        text = read_text(path).replace("\r\n", "\n")
    except InputError as error:
        raise InputError(f"judge.prompt_path, the path of AlpacaEval's alpaca_eval_clf.txt: {error}") from None
    parts = [(part["role"].strip(), part["content"].strip()) for part in _PART.finditer(text)]
    if not parts or any(role not in _ROLES for role, _ in parts):
        raise InputError(f"{path} has no parts <|im_start|>user ... <|im_end|>: give AlpacaEval's alpaca_eval_clf.txt")
    fields = sorted(field for _, content in parts for field in _FIELD.findall(content))
    if fields != ["instruction", "output_1", "output_2"]:
        raise InputError(f"{path} must have each of {{instruction}}, {{output_1}} and {{output_2}} once")
    return [cast(ChatMessage, {"role": role, "content": content}) for role, content in parts]
