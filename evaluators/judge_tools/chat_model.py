"""A language model as judges talk to it: a service, or a model of our own."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from evaluators.failures import VerdictUnreadable
from evaluators.judge_tools.alternatives import RatingPlace, read_alternatives
from workers.prompt import ChatMessage
from workers.service.reply import Reply
from workers.usage import NOTHING, Usage

MOST_ALTERNATIVES = 20
"""Likely tokens that services tell of at each place, at most."""

if TYPE_CHECKING:
    from workers.service.service import Service


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FirstTokenLogprobs:
    """How a model would begin its answer.

    Attributes:
        log_probabilities: natural, of each choice that the model told of; a service tells of the likeliest tokens only.
        text: what it said, for people.
        model: who said it, as in `Reply`.
    """

    log_probabilities: Mapping[str, float]
    text: str
    usage: Usage
    model: str = ""


@dataclass(frozen=True, slots=True)
class RatingProbabilities:
    """How likely each rating was in the place of the one that was given.

    Attributes:
        probabilities: of each choice that the model told of; what they lack to 1 lies on none of them.
        usage: what it cost beside the reply.
    """

    probabilities: Mapping[str, float]
    usage: Usage


class ChatModel(Protocol):
    """Answers chats, many at once."""

    @property
    def identity(self) -> str:
        """Everything that can change an answer except chat and decoding; known once it is started."""
        ...

    def repeats_itself(self, temperature: float) -> bool:
        """Whether the same chat gets the same words again at this temperature."""
        ...

    async def start(self) -> None:
        """Load what must be loaded. Idempotent. Raises InputError."""
        ...

    async def chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        temperature: float,
        max_tokens: int,
        seed: int = 0,
        likely: bool = False,
    ) -> Reply:
        """Answer this chat.

        Args:
            temperature: 0 is greedy.
            max_tokens: the answer has at most so many.
            seed: another one draws anew; a service draws anew each time, and takes it as the number of the draw.
            likely: the reply will be given to `rating_probabilities`.

        Raises:
            DemosearchError: no answer to this one.
            RunStopped: no answer to any.
        """
        ...

    async def rating_probabilities(
        self, messages: Sequence[ChatMessage], reply: Reply, place: RatingPlace, choices: tuple[str, ...]
    ) -> RatingProbabilities:
        """How likely each of these ratings was in the place of the one that this reply gave, at temperature 1.

        Args:
            reply: of `chat` to these messages, which was told that its ratings would be looked at.

        Raises:
            VerdictUnreadable: the model does not tell.
            As `chat`.
        """
        ...

    async def first_token_logprobs(
        self, messages: Sequence[ChatMessage], choices: tuple[str, ...], top: int, seed: int = 0
    ) -> FirstTokenLogprobs:
        """How likely each of these beginnings is, at temperature 1.

        Args:
            choices: of one token each.
            top: so many of the likeliest tokens are looked at, where not all can be; services tell 20 at most.
            seed: as in `chat`.

        Raises:
            As `chat`.
        """
        ...

    async def close(self) -> None:
        """Refuse what has not been sent, wait for what has been paid for. Idempotent; for good."""
        ...


class ServedChatModel:
    """A model behind an OpenAI-compatible service."""

    def __init__(self, service: "Service") -> None:
        self._service = service
        self._looked = False

    @property
    def identity(self) -> str:
        settings = self._service.config.alters_answers()
        return json.dumps({"model": self._service.model, "base_url": self._service.base_url} | settings)

    def repeats_itself(self, temperature: float) -> bool:  # noqa: ARG002 -- services are never quite sure
        return False

    async def start(self) -> None:
        if not self._looked:
            self._looked = True
            if (notice := await self._service.look_up_model()) is not None:
                logger.warning("the judge: %s", notice)

    async def chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        temperature: float,
        max_tokens: int,
        seed: int = 0,
        likely: bool = False,
    ) -> Reply:
        top = MOST_ALTERNATIVES if likely else 0
        return await self._service.chat(
            messages, temperature=temperature, max_tokens=max_tokens, logprobs=top, draw=seed
        )

    async def rating_probabilities(
        self,
        messages: Sequence[ChatMessage],  # noqa: ARG002 -- the reply says all
        reply: Reply,
        place: RatingPlace,
        choices: tuple[str, ...],
    ) -> RatingProbabilities:
        return RatingProbabilities(read_alternatives(reply, place, choices), NOTHING)

    async def first_token_logprobs(
        self, messages: Sequence[ChatMessage], choices: tuple[str, ...], top: int, seed: int = 0
    ) -> FirstTokenLogprobs:
        reply = await self._service.chat(messages, temperature=1.0, max_tokens=1, logprobs=top, draw=seed)
        if not reply.first_token:
            raise VerdictUnreadable(
                "the judge's service gives no log-probabilities of its first token, which this judge reads: choose "
                "another model",
                reply.usage,
            )
        spelled = next((token for token, _ in reply.first_token if token.strip() in choices), choices[0])
        if spelled not in choices:
            raise VerdictUnreadable(
                f"the judge begins with {spelled!r}, and this judge reads {' or '.join(choices)} alone: choose another "
                "model",
                reply.usage,
            )
        likely = {token: value for token, value in reply.first_token if token in choices}
        return FirstTokenLogprobs(likely, reply.text, reply.usage, reply.model)

    async def close(self) -> None:
        await self._service.close()
