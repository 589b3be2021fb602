"""A made-up model and judge that bill every call they work on, whoever has gone meanwhile, and remember all of it."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from evaluators.failures import JudgeFailed
from evaluators.judge import Verdict
from evaluators.question import Question
from workers.activity import WorkersActivity
from workers.failures import GenerationFailed, ModelClosed
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock
from workers.service.failures import ServiceSilent
from workers.text_model import ModelCard
from workers.usage import NOTHING, Usage

DEMONSTRATION, BASE = "how do I do", 2
"""Words that every demonstration begins with, and how many of them the base prompt has."""
PAID_FAILURE = 0.3  # of all failures of the judge: it was paid for, and carries its usage
_SECONDS = (0.0, 0.01, 0.1, 30.0)


@dataclass(slots=True)
class Call:
    """One line of the bill.

    Attributes:
        number: from 1; the service claims as many prompt tokens, so that a row of the ledger tells its call.
        content: what was asked.
        ended: when the answer went out, in virtual seconds of the session; None while it has not.
        failed: it was answered with an error, and billed.
        session: of the search.
        score: that was given; None of an answer, and of a failure.
        is_answered: whoever asked has the answer.
        given_up: the answer came too late, or to nobody: whoever asked knows of none.
    """

    number: int
    content: str
    session: int
    ended: float | None = None
    failed: bool = False
    score: float | None = None
    is_answered: bool = False
    given_up: bool = False


class Bill:
    """Every call that was worked on, by its number.

    Attributes:
        durable: contents that the ledger held when the session began.
        asked_again: those of them that were asked for nevertheless, and what was answered in the same session.
    """

    def __init__(self) -> None:
        self.calls: dict[int, Call] = {}
        self.session = 0
        self._number = 0
        self.durable: set[str] = set()
        self.asked_again: list[str] = []
        self._asked: dict[str, Call] = {}  # the last call with this content

    def begin_session(self, durable: set[str]) -> None:
        """A process begins, and has these rows."""
        self.session += 1
        self.durable = durable

    def open(self, content: str) -> Call:
        """Begin to work on a call."""
        last = self._asked.get(content)
        was_answered = last is not None and last.is_answered and last.session == self.session
        if content in self.durable or was_answered:
            self.asked_again.append(content)
        self._number += 1
        call = Call(self._number, content, self.session)
        self._asked[content] = call
        self.calls[call.number] = call
        return call

    def forget(self, call: Call) -> None:
        """Nobody pays for it."""
        del self.calls[call.number]


class _Service:
    """What model and judge share: latency, illness, and closing, which waits for what was sent."""

    def __init__(self, bill: Bill, draw: random.Random) -> None:
        self.bill = bill
        self.ill = 0.0
        self._draw = draw
        self._open: set[asyncio.Future[None]] = set()
        self._closed = False

    async def _work(self) -> bool:
        """Take a while; whether it went well."""
        going_out: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open.add(going_out)
        try:
            await asyncio.sleep(self._draw.choice(_SECONDS) * self._draw.random())
        finally:
            self._open.discard(going_out)
            going_out.cancel()
        return self._draw.random() >= self.ill

    async def close(self) -> None:
        self._closed = True
        if self._open:
            await asyncio.wait(self._open)


class Model(_Service):
    """Answers with a number made of the prompt.

    Args:
        favours_base: the judge will like its answers to the base prompt best.
    """

    def __init__(self, bill: Bill, draw: random.Random, favours_base: bool) -> None:
        super().__init__(bill, draw)
        self._favours_base = favours_base

    async def start(self) -> ModelCard:
        return ModelCard("a model that counts letters", 100_000, "cpu")

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        return tuple(len(block.prompt(index)) for index in range(len(block.suffixes)))

    async def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:  # noqa: ARG002 -- TextModel
        order = list(range(len(block.suffixes)))
        self._draw.shuffle(order)
        for index in order:
            if self._closed:
                raise ModelClosed
            call = self.bill.open(f"answer {block.prompt(index)}")
            went_well = await self._work()
            if not went_well:
                self.bill.forget(call)
                raise GenerationFailed("every worker was lost")
            call.ended = asyncio.get_running_loop().time()
            good = " well" if self._favours_base and block.prefix.count(DEMONSTRATION) == BASE else ""
            text = f"answer {sum(block.prompt(index).encode()) % 997}{good}"
            yield index, Completion(text, call.number, 1, "stop")

    async def score(self, block: PromptBlock, continuations: Continuations) -> AsyncIterator[tuple[int, Likelihood]]:
        raise NotImplementedError("no simulated search asks for likelihoods")
        yield block, continuations  # makes it the generator that the protocol wants

    def activity(self) -> WorkersActivity:
        return WorkersActivity()


class CountingJudge(_Service):
    """Rates with a number from 1 to 8 made of question and answer, and 9 for what is marked as good."""

    fingerprint = "a judge that counts letters"

    async def start(self) -> None: ...

    def check(self, questions: Sequence[Question], turns: Sequence[int]) -> None: ...

    async def judge(self, question: Question, answers: tuple[str, ...], repeat: int = 0) -> Verdict:
        if self._closed:
            raise JudgeFailed("the judge has been closed")
        call = self.bill.open(f"verdict {question.id} {answers} {repeat}")
        went_well = await self._work()
        usage = Usage(1, call.number, 0, 1)
        call.ended = asyncio.get_running_loop().time()
        if not went_well:
            call.failed = True
            if self._draw.random() < PAID_FAILURE:
                raise ServiceSilent("no answer that could be read", usage)
            self.bill.forget(call)
            raise ServiceSilent("no answer", NOTHING)
        call.score = 9.0 if answers[-1].endswith("well") else 1.0 + sum(f"{question.id}{answers}".encode()) % 8
        return Verdict(call.score, "words", usage)
