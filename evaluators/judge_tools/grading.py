"""Asking a language model until its verdict can be read."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from configs.errors import DemosearchError, RunStopped
from configs.schema.judge import WritingJudgeKnobs
from evaluators.failures import JudgeFailed, VerdictStopped, VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.judge_tools.chat_model import ChatModel
from workers.service.failures import ServiceChanged, ServiceFailed
from workers.service.reply import Message
from workers.usage import NOTHING, Usage

ATTEMPTS = 100
"""Seeds set aside for each repeat; more than there can be attempts."""


class Statement(Protocol):
    """What a chat model gave back."""

    @property
    def text(self) -> str: ...

    @property
    def usage(self) -> Usage: ...

    @property
    def model(self) -> str: ...


S = TypeVar("S", bound=Statement)


async def grade(ask: Callable[[int], Awaitable[S]], read: Callable[[S], float], retries: int) -> Verdict:
    """Ask until the reply can be read; everything that was paid for is counted, also when it fails in the end.

    Args:
        ask: told the number of the attempt, from 0.
        read: raises VerdictUnreadable.
        retries: attempts after the first.
    """
    paid = NOTHING
    for attempt in range(retries + 1):
        try:
            reply = await ask(attempt)
        except RunStopped as stop:
            paid += stop.usage if isinstance(stop, ServiceChanged) else NOTHING
            if paid == NOTHING:
                raise
            raise VerdictStopped(str(stop), paid) from stop
        except DemosearchError as error:
            if paid == NOTHING:
                raise
            usage = error.usage if isinstance(error, JudgeFailed | ServiceFailed) else NOTHING
            raise JudgeFailed(str(error), paid + usage) from error
        paid += reply.usage
        try:
            return Verdict(read(reply), reply.text, paid, reply.model)
        except VerdictUnreadable as error:
            if attempt == retries:
                raise VerdictUnreadable(str(error), paid) from None
    raise AssertionError("unreachable")


async def grade_in_words(
    chat_model: ChatModel,
    messages: Sequence[Message],
    knobs: WritingJudgeKnobs,
    read: Callable[[str], float],
    repeat: int,
) -> Verdict:
    """What `read` makes of the chat model's answer to this chat; each repeat and each attempt draws anew."""
    is_sure = chat_model.repeats_itself(knobs.temperature)
    return await grade(
        lambda attempt: chat_model.chat(
            messages,
            temperature=knobs.temperature,
            max_tokens=knobs.max_tokens,
            seed=ATTEMPTS * repeat + attempt,
        ),
        lambda reply: read(reply.text),
        0 if is_sure else knobs.unreadable_retries,
    )
