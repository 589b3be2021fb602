"""A language model of our own as judges talk to it."""

import math
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from evaluators.failures import JudgeFailed
from evaluators.judge_tools.alternatives import RatingPlace
from evaluators.judge_tools.chat_model import FirstTokenLogprobs, RatingProbabilities
from evaluators.judge_tools.micro_batcher import Gatherer
from workers.chat_template import ChatTemplate
from workers.failures import PromptTooLong
from workers.prompt import ChatMessage, Completion, Continuations, Decoding, PromptBlock, shared_start
from workers.service.reply import Reply
from workers.text_model import TextModel
from workers.usage import Usage

WORTH = 256
"""Characters of a shared beginning that make a block of its own worth while..."""
FEW = 32
"""A number of chats for which being answered side by side is worth more than what a few of them share."""


@dataclass(frozen=True, slots=True)
class _Chat:
    text: str
    decoding: Decoding


class LocalChatModel:
    """Chats in the model's own chat template. Those that come together are answered together, and what they begin with
    in common, such as a judge's instructions, is computed once.

    Args:
        model: closed with the chat model.
    """

    def __init__(self, model: TextModel, template: ChatTemplate) -> None:
        self._model = model
        self._template = template
        self._gatherer: Gatherer[_Chat, Completion] = Gatherer(self._perform, kind=lambda chat: chat.decoding)
        self._identity: str | None = None

    @property
    def identity(self) -> str:
        assert self._identity is not None, "the model says what it is once it is started"
        return self._identity

    def repeats_itself(self, temperature: float) -> bool:
        return temperature == 0

    async def start(self) -> None:
        self._identity = f"{(await self._model.start()).fingerprint} {self._template.version}"

    async def chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        temperature: float,
        max_tokens: int,
        seed: int = 0,
        likely: bool = False,  # noqa: ARG002 -- it can tell of any reply
    ) -> Reply:
        decoding = Decoding(max_tokens, temperature, seed=seed if temperature else 0)
        try:
            completion = await self._gatherer.ask(_Chat(self._template.prompt(messages), decoding))
        except PromptTooLong as error:
            raise _too_long(error) from error
        return Reply(completion.text, completion.finish, Usage(1, completion.prompt_tokens, 0, completion.new_tokens))

    async def first_token_logprobs(
        self,
        messages: Sequence[ChatMessage],
        choices: tuple[str, ...],
        top: int,  # noqa: ARG002 -- it can look at all
        seed: int = 0,  # noqa: ARG002 -- nothing is drawn
    ) -> FirstTokenLogprobs:
        logs, usage = await self._score(self._template.prompt(messages), choices)
        return FirstTokenLogprobs(logs, max(logs, key=lambda choice: logs[choice]), usage)

    async def rating_probabilities(
        self, messages: Sequence[ChatMessage], reply: Reply, place: RatingPlace, choices: tuple[str, ...]
    ) -> RatingProbabilities:
        """Each rating with the brackets behind it, so that 1 is not the beginning of 10 however they are tokenized."""
        closing = reply.text[place.end : place.closed]
        ratings = {choice + closing: choice for choice in choices}
        logs, usage = await self._score(self._template.prompt(messages) + reply.text[: place.begin], tuple(ratings))
        return RatingProbabilities({ratings[text]: math.exp(log) for text, log in logs.items()}, usage)

    async def _score(self, text: str, continuations: tuple[str, ...]) -> tuple[dict[str, float], Usage]:
        """Natural log-probabilities of these continuations of a text, which is computed once for all of them."""
        block = PromptBlock(text, ("",) * len(continuations), bos=False)
        logs: dict[str, float] = {}
        try:
            async for index, likelihood in self._model.score(block, Continuations(continuations)):
                logs[continuations[index]] = likelihood.log_probability
            length = (await self._model.count_tokens(block))[0]
        except PromptTooLong as error:
            raise _too_long(error) from error
        return logs, Usage(1, length, 0, 1)

    async def close(self) -> None:
        await self._gatherer.close()
        await self._model.close()

    async def _perform(self, chats: Sequence[_Chat]) -> AsyncIterator[tuple[int, Completion]]:
        decoding = chats[0].decoding
        for indices in blocks([chat.text for chat in chats]):
            block = _block([chats[index].text for index in indices])
            async for index, completion in self._model.generate(block, decoding):
                yield indices[index], completion


def blocks(texts: Sequence[str]) -> list[list[int]]:
    """Group texts to be computed together: all of them, except where several share a much longer beginning.

    Returns:
        Indices, every one once, in the order of the texts' beginnings.
    """
    return _parted(texts, sorted(range(len(texts)), key=lambda index: texts[index]))


def _parted(texts: Sequence[str], indices: list[int]) -> list[list[int]]:
    if len(indices) < 2 * FEW:
        return [indices]
    shared = len(shared_start([texts[index] for index in indices]))
    branches: dict[str, list[int]] = defaultdict(list)
    for index in indices:
        branches[texts[index][shared : shared + WORTH]].append(index)
    if len(branches) == 1:
        return [indices]
    rest = [index for branch in branches.values() if len(branch) < FEW for index in branch]
    groups = [part for branch in branches.values() if len(branch) >= FEW for part in _parted(texts, branch)]
    return [*groups, rest] if rest else groups


def _block(texts: Sequence[str]) -> PromptBlock:
    prefix = shared_start(texts)
    return PromptBlock(prefix, tuple(text[len(prefix) :] for text in texts), bos=False)


def _too_long(error: PromptTooLong) -> JudgeFailed:
    return JudgeFailed(
        f"the judge's prompt has {error.prompt_tokens:,} tokens; with {error.new_tokens:,} new ones that is more than "
        f"its model's context of {error.context_tokens:,}: lower judge.max_tokens or decoding.max_new_tokens, or give "
        "another judge.model"
    )
