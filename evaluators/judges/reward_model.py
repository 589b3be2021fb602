"""A reward model's rating of the conversation. Local: a search with it needs no service at all.

A model that reads chats is shown the conversation in its own chat template, one that reads pairs gets everything up to
the last question as the first text and the answer to it as the second.
"""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Self

from configs.schema.judge import RewardModelJudgeConfig
from evaluators.failures import JudgeFailed
from evaluators.judge import Verdict
from evaluators.judge_tools.micro_batcher import Gatherer
from evaluators.judge_tools.models import Models
from evaluators.question import Question
from workers.chat_template import ChatTemplate
from workers.control_tokens import plain
from workers.failures import PromptTooLong
from workers.prompt import PAIR, ChatMessage, PromptBlock, Reward
from workers.text_model import RewardModel
from workers.usage import Usage

VERSION = "2"
"""Raise it whenever some conversation would be rendered in another way."""


class RewardModelJudge:
    """Scores on the reward model's own scale.

    Args:
        model: closed with the judge.
        template: of its chats; None for a model that reads pairs.
    """

    def __init__(self, model: RewardModel, template: ChatTemplate | None) -> None:
        self._model = model
        self._template = template
        self._gatherer: Gatherer[str, Reward] = Gatherer(self._rate)
        self._identity: str | None = None

    @classmethod
    def from_config(cls, config: RewardModelJudgeConfig, models: Models) -> Sequence[Self]:
        """The judge of this config. Raises InputError where it cannot be made."""
        return (cls(*models.rating(config)),)

    @property
    def fingerprint(self) -> str:
        assert self._identity is not None, "the model says what it is once it is started"
        spelling = f"pair/{VERSION}" if self._template is None else f"chat/{VERSION} {self._template.version}"
        return json.dumps({"kind": "reward_model", "model": self._identity, "spelling": spelling}, sort_keys=True)

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None:  # noqa: ARG002 -- takes any
        return None

    async def start(self) -> None:
        self._identity = (await self._model.start()).fingerprint

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:  # noqa: ARG002 -- it would say the same again
        try:
            reward = await self._gatherer.ask(self.text(question, answers))
        except PromptTooLong as error:
            raise JudgeFailed(
                f"the conversation has {error.prompt_tokens:,} tokens, more than the reward model's context of "
                f"{error.context_tokens:,}: lower decoding.max_new_tokens, or set judge.model to another model"
            ) from error
        return Verdict(reward.score, usage=Usage(1, reward.tokens))

    def text(self, question: Question, answers: tuple[str, ...]) -> str:
        """What the model is shown, to rate the last of these answers."""
        texts = [words for pair in zip(question.turns, answers, strict=False) for words in pair]
        if self._template is None:
            *before, answer = (plain(words.replace(PAIR, " ")) for words in texts)
            return "\n\n".join(before) + PAIR + answer
        messages: list[ChatMessage] = [
            {"role": "assistant" if at % 2 else "user", "content": words} for at, words in enumerate(texts)
        ]
        return self._template.transcript(messages)

    async def close(self) -> None:
        await self._gatherer.close()
        await self._model.close()

    async def _rate(self, texts: Sequence[str]) -> AsyncIterator[tuple[int, Reward]]:
        """A chat template spells its own special tokens; around a pair they are the tokenizer's."""
        async for index, reward in self._model.rate(PromptBlock("", tuple(texts), bos=self._template is None)):
            yield index, reward
