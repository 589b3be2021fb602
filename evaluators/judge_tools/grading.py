"""Asking a language model until its verdict can be read."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from configs.errors import DemosearchError, RunStopped
from configs.schema.judge_knobs import WritingJudgeKnobs
from evaluators.failures import JudgeFailed, VerdictStopped, VerdictUnreadable
from evaluators.judge import Verdict
from evaluators.judge_tools.alternatives import RatingPlace
from evaluators.judge_tools.chat_model import ChatModel
from evaluators.judge_tools.decision import DECISION_VERSION, read_decision
from evaluators.judge_tools.expected import EXPECTED_VERSION, expected_score
from evaluators.judge_tools.fence import FENCE_VERSION
from evaluators.judge_tools.ratings import PARSER_VERSION, RatingForm
from workers.prompt import ChatMessage
from workers.service.failures import ServiceChanged, ServiceFailed
from workers.service.reply import Reply
from workers.usage import NOTHING, Usage

DISTRIBUTION = "\n\n[expected rating] "
"""The separator between a judge's words and the distribution of its ratings."""

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


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from a statement.

    Attributes:
        words: kept with the verdict behind what the model said; "" for nothing more.
        usage: what reading it cost.
    """

    score: float
    words: str = ""
    usage: Usage = NOTHING


S = TypeVar("S", bound=Statement)


async def grade(ask: Callable[[int], Awaitable[S]], read: Callable[[S], Awaitable[Reading]], retries: int) -> Verdict:
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
            paid += reply.usage
            reading = await read(reply)
        except VerdictUnreadable as error:
            if attempt == retries:
                raise VerdictUnreadable(str(error), paid + error.usage) from None
            paid += error.usage
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
        else:
            return Verdict(reading.score, reply.text + reading.words, paid + reading.usage, reply.model)
    raise AssertionError("unreachable")


async def grade_in_words(
    chat_model: ChatModel,
    messages: Sequence[ChatMessage],
    knobs: WritingJudgeKnobs,
    form: RatingForm,
    repeat: int,
) -> Verdict:
    """The rating in the chat model's answer to this chat, read as `knobs.rating` says; each repeat and each attempt
    draws anew."""

    async def read(reply: Reply) -> Reading:
        if knobs.rating == "first":
            return Reading(form.read(reply.text))
        finish = "length" if reply.is_cut(knobs.max_tokens) else reply.finish
        decision = read_decision(reply.text, finish, form)
        if knobs.rating == "decision":
            return Reading(decision.score)
        place = RatingPlace(decision.begin, decision.end, decision.closed)
        likely = await chat_model.rating_probabilities(messages, reply, place, form.choices)
        score, distribution = expected_score(likely.probabilities, form, likely.usage)
        return Reading(score, DISTRIBUTION + json.dumps(distribution), likely.usage)

    is_sure = chat_model.repeats_itself(knobs.temperature)
    return await grade(
        lambda attempt: chat_model.chat(
            messages,
            temperature=knobs.temperature,
            max_tokens=knobs.max_tokens,
            seed=ATTEMPTS * repeat + attempt,
            likely=knobs.rating == "expected",
        ),
        read,
        0 if is_sure else knobs.unreadable_retries,
    )


def reading_identity(knobs: WritingJudgeKnobs) -> dict[str, object]:
    """What can change a verdict in how it is asked for and read: the part of a fingerprint that judges share."""
    versions = {
        "first": PARSER_VERSION,
        "decision": DECISION_VERSION,
        "expected": f"{DECISION_VERSION} {EXPECTED_VERSION}",
    }
    return {
        "temperature": knobs.temperature,
        "max_tokens": knobs.max_tokens,
        "rating": knobs.rating,
        "parser": versions[knobs.rating],
        "fence": FENCE_VERSION if knobs.fence_answers else None,
    }
