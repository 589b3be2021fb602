"""Stand-ins for models, small enough to be believed. No patching: they are passed in where a real one would be.

    EchoEngine         an Engine: deterministic, picklable by `partial(EchoEngine, ...)`, slow or deadly on demand
    GatedEngine        the same, which answers when a test lets it
    StepEngine         the same as a BatchingEngine: a word a step
    EchoRewardEngine   the same as a RewardEngine
    ScriptedModel      a TextModel without threads or processes: answers with a function, remembers what it was asked

For all of them a token is a word, and a card's device is "cpu".
"""

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from math import log

from workers.activity import WorkersActivity
from workers.failures import GenerationFailed, PromptTooLong
from workers.messages import Answered, Ended
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock, Reward
from workers.text_model import ModelCard

FAILS = "FAILS"  # the mark of a prompt that cannot be answered


def echo(prompt: str, decoding: Decoding) -> Completion:
    """The prompt's last words, behind a word that depends on the whole prompt (and on the seed when sampling)."""
    seed = decoding.seed if decoding.temperature > 0 else 0
    mark = sha256(f"{seed}\x00{prompt}".encode()).hexdigest()[:8]
    return completion(" ".join([mark, *prompt.split()[-4:]]), prompt, decoding)


def completion(said: str, prompt: str, decoding: Decoding) -> Completion:
    """What the model would have said, cut as `max_new_tokens` and `stop` want it."""
    words = said.split(" ")
    text = " ".join(words[: decoding.max_new_tokens])
    ends = [place for stop in decoding.stop if (place := text.find(stop)) >= 0]
    cut = len(words) > decoding.max_new_tokens and not ends
    return Completion(
        text=text[: min(ends, default=len(text))],
        prompt_tokens=len(prompt.split()),
        new_tokens=min(len(words), decoding.max_new_tokens),
        finish="length" if cut else "stop",
    )


def chance(*texts: str) -> float:
    """A number in (0, 1) that depends on all of the texts."""
    return (int.from_bytes(sha256("\x00".join(texts).encode()).digest()[:4]) + 1) / (2**32 + 1)


def likelihood(prompt: str, continuation: str) -> Likelihood:
    """Each word's probability depends on the whole prompt and on the word."""
    words = continuation.split() or [continuation]
    return Likelihood(sum(log(chance(prompt, word)) for word in words), len(words))


def reward(text: str) -> Reward:
    return Reward(10 * chance(text) - 5, len(text.split()))


def count_words(block: PromptBlock) -> tuple[int, ...]:
    return tuple(len(block.prompt(index).split()) for index in range(len(block.suffixes)))


def refuse_too_long(block: PromptBlock, new_tokens: int, context_tokens: int) -> None:
    longest = max(count_words(block), default=0)
    if longest + new_tokens > context_tokens:
        raise PromptTooLong(longest, new_tokens, context_tokens)


def refuse_too_long_with(continuations: Continuations, block: PromptBlock, context_tokens: int) -> None:
    for index, text in enumerate(continuations.texts):
        refuse_too_long(block.select([index]), len(text.split()), context_tokens)


def fail_if_marked(prompt: str, mark: str) -> None:
    if mark in prompt:
        raise GenerationFailed(f"this prompt contains {mark}: leave it out")


@dataclass
class _Frail:
    """What both echo engines are.

    Attributes:
        seconds_each: what one answer takes, slept through.
        fails_at: a prompt that contains this raises GenerationFailed when its turn comes.
        breaks_at: a prompt that contains this raises RuntimeError, as a broken GPU would.
        dies_at: a prompt that contains this kills the process at once, as the out-of-memory killer would.
        die_once: a file; `dies_at` kills only while it does not exist, and creates it.
    """

    fingerprint: str = "echo 1"
    context_tokens: int = 4096
    seconds_each: float = 0.0
    fails_at: str = FAILS
    breaks_at: str = "BREAKS"
    dies_at: str = "POISON"
    die_once: str | None = None

    @property
    def card(self) -> ModelCard:
        return ModelCard(self.fingerprint, self.context_tokens, "cpu")

    def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        return count_words(block)

    def _take_pains(self, block: PromptBlock) -> Iterator[tuple[int, str]]:
        """The block's prompts, last suffix first."""
        for index in reversed(range(len(block.suffixes))):
            time.sleep(self.seconds_each)
            prompt = block.prompt(index)
            self.come_to_grief(prompt)
            yield index, prompt

    def come_to_grief(self, prompt: str) -> None:
        fail_if_marked(prompt, self.fails_at)
        if self.breaks_at in prompt:
            raise RuntimeError("CUDA error: device-side assert triggered")
        if self.dies_at in prompt and self._may_die():
            os.kill(os.getpid(), signal.SIGKILL)

    def _may_die(self) -> bool:
        if self.die_once is None:
            return True
        try:
            os.close(os.open(self.die_once, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True


@dataclass
class EchoEngine(_Frail):
    """An Engine that answers with `echo` and scores with `likelihood`, last suffix first."""

    def generate(self, block: PromptBlock, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        refuse_too_long(block, decoding.max_new_tokens, self.context_tokens)
        for index, prompt in self._take_pains(block):
            yield index, echo(prompt, decoding)

    def score(self, block: PromptBlock, continuations: Continuations) -> Iterator[tuple[int, Likelihood]]:
        refuse_too_long_with(continuations, block, self.context_tokens)
        for index, prompt in self._take_pains(block):
            yield index, likelihood(prompt, continuations.texts[index])


@dataclass
class GatedEngine(EchoEngine):
    """An EchoEngine that answers nothing while the gate is shut."""

    gate: threading.Event = field(default_factory=threading.Event)

    def come_to_grief(self, prompt: str) -> None:
        self.gate.wait(60)
        super().come_to_grief(prompt)


@dataclass
class StepEngine(EchoEngine):
    """A BatchingEngine that answers as EchoEngine does, a word a step, which takes `seconds_each`.

    Attributes:
        rows: prompts together, as soon as there are so many no further block begins.
        waits_at: a prompt that contains this is never answered.
    """

    rows: int = 16
    waits_at: str = "WAIT"

    def batch(self, decoding: Decoding) -> "StepBatch":
        return StepBatch(self, decoding)


class StepBatch:
    """A StepEngine's."""

    def __init__(self, engine: StepEngine, decoding: Decoding) -> None:
        self._engine = engine
        self._decoding = decoding
        self._prompts: dict[int, dict[int, str]] = {}  # by job and index
        self._words: dict[int, int] = {}  # said so far by each prompt of a job

    def has_room(self) -> bool:
        return sum(map(len, self._prompts.values())) < self._engine.rows

    def add(self, job: int, block: PromptBlock) -> None:
        refuse_too_long(block, self._decoding.max_new_tokens, self._engine.context_tokens)
        self._prompts[job] = {index: block.prompt(index) for index in reversed(range(len(block.suffixes)))}
        self._words[job] = 0

    def drop(self, job: int) -> None:
        del self._prompts[job]

    def step(self) -> list[Answered | Ended]:
        time.sleep(self._engine.seconds_each)
        return [message for job in list(self._prompts) for message in self._advance(job)]

    def _advance(self, job: int) -> Iterator[Answered | Ended]:
        self._words[job] += 1
        try:
            for index, prompt in list(self._prompts[job].items()):
                answer = echo(prompt, self._decoding)
                if answer.new_tokens <= self._words[job] and self._engine.waits_at not in prompt:
                    self._engine.come_to_grief(prompt)
                    del self._prompts[job][index]
                    yield Answered(job, index, answer)
        except GenerationFailed as error:
            self.drop(job)
            yield Ended(job, error)
        else:
            if not self._prompts[job]:
                self.drop(job)
                yield Ended(job)


@dataclass
class EchoRewardEngine(_Frail):
    """A RewardEngine that rates with `reward`, last suffix first."""

    def rate(self, block: PromptBlock) -> Iterator[tuple[int, Reward]]:
        refuse_too_long(block, 0, self.context_tokens)
        for index, prompt in self._take_pains(block):
            yield index, reward(prompt)


class ScriptedModel:
    """A TextModel that answers prompt by prompt with `answer`, in the order asked, and scores with `likelihood`. A
    prompt with FAILS in it fails.

    Args:
        answer: prompt → what the model says; an exception in its place is raised. `echo` when absent.
        context_tokens: prompts longer than this (in words, new tokens included) raise PromptTooLong.
        sampled: stands in front of what `answer` gives where the temperature is not 0.

    Attributes:
        asked: every block given to `generate`, in order.
        scored: every block given to `score`, with its continuations, in order.
        pause: awaited before each answer; a test may put a gate here.
        open: calls of `generate` and `score` not yet over.
        closed: `close` was called.
    """

    def __init__(
        self,
        answer: Callable[[str], str | Exception] | None = None,
        context_tokens: int = 4096,
        fingerprint: str = "scripted 1",
        sampled: str = "",
    ) -> None:
        self.asked: list[PromptBlock] = []
        self.scored: list[tuple[PromptBlock, Continuations]] = []
        self.pause: Callable[[], Awaitable[None]] | None = None
        self.open = 0
        self.closed = False
        self._answer, self._sampled = answer, sampled
        self._card = ModelCard(fingerprint, context_tokens, "cpu")

    async def start(self) -> ModelCard:
        return self._card

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        return count_words(block)

    async def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:
        self.asked.append(block)
        self.open += 1
        try:
            refuse_too_long(block, decoding.max_new_tokens, self._card.context_tokens)
            for index in range(len(block.suffixes)):
                await self._wait()
                yield index, self._say(block.prompt(index), decoding)
        finally:
            self.open -= 1

    async def score(self, block: PromptBlock, continuations: Continuations) -> AsyncIterator[tuple[int, Likelihood]]:
        self.scored.append((block, continuations))
        self.open += 1
        try:
            refuse_too_long_with(continuations, block, self._card.context_tokens)
            for index, text in enumerate(continuations.texts):
                await self._wait()
                fail_if_marked(block.prompt(index), FAILS)
                yield index, likelihood(block.prompt(index), text)
        finally:
            self.open -= 1

    def activity(self) -> WorkersActivity:
        return WorkersActivity(alive=int(not self.closed), busy=min(self.open, 1))

    async def close(self) -> None:
        self.closed = True

    async def _wait(self) -> None:
        await asyncio.sleep(0)
        if self.pause is not None:
            await self.pause()

    def _say(self, prompt: str, decoding: Decoding) -> Completion:
        fail_if_marked(prompt, FAILS)
        if self._answer is None:
            return echo(prompt, decoding)
        said = self._answer(prompt)
        if isinstance(said, Exception):
            raise said
        return completion((self._sampled if decoding.temperature else "") + said, prompt, decoding)
