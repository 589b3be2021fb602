"""The faces of a model: an engine in a worker's process, and what stands before everyone else.

in the worker    before the others    what it does
Engine           TextModel            generates answers, and scores given ones
RewardEngine     RewardModel          rates whole texts
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from workers.activity import WorkersActivity
from workers.messages import Answered, Ended
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock, Reward
from workers.usage import Usage


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a loaded model says of itself.

    Attributes:
        fingerprint: everything that can change a completion except prompt and decoding: model id, revision or
            content digest, engine, dtype, quantisation, library versions. Equal on all workers of a run.
        context_tokens: prompt and new tokens together must not exceed this.
        device: where it runs, for people ("cpu", "cuda:0 NVIDIA H200"); not part of the fingerprint.
        place: node and GPUs of a worker among others, for people ("node-3 GPU 1"); empty where nobody has said.
        notices: what a process of its own warned of while it loaded the model, a sentence each; whoever hears of the
            card says them. Empty where the warnings went into this process's log themselves.
    """

    fingerprint: str
    context_tokens: int
    device: str
    place: str = ""
    notices: tuple[str, ...] = ()


class Engine(Protocol):
    """A language model loaded in this process. Synchronous, used by one thread at a time."""

    @property
    def card(self) -> ModelCard: ...

    def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        """Length of each prompt of the block as the model will see it, in tokens."""
        ...

    def generate(self, block: PromptBlock, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """Yield `(suffix index, completion)` as each finishes, every index exactly once, in any order.

        Raises:
            PromptTooLong: before anything is generated, when any prompt does not fit.
            GenerationFailed: when the rest of the block cannot be generated.
        """
        ...

    def score(self, block: PromptBlock, continuations: Continuations) -> Iterator[tuple[int, Likelihood]]:
        """Yield `(suffix index, likelihood)` of the continuation of the same index, every index exactly once, in any
        order. Nothing is generated.

        Raises:
            PromptTooLong: before anything is scored, when any prompt with its continuation does not fit.
            GenerationFailed: when the rest of the block cannot be scored.
        """
        ...


class RewardEngine(Protocol):
    """A reward model loaded in this process. Synchronous, used by one thread at a time."""

    @property
    def card(self) -> ModelCard: ...

    def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        """See `Engine.count_tokens`."""
        ...

    def rate(self, block: PromptBlock) -> Iterator[tuple[int, Reward]]:
        """Yield `(suffix index, reward)` of the text `block.prompt(index)`, every index exactly once, in any order.

        Raises:
            PromptTooLong: before anything is rated, when any text does not fit.
            GenerationFailed: when the rest of the block cannot be rated.
        """
        ...


class Batch(Protocol):
    """Jobs of one decoding that an engine generates for at the same time. Used by one thread at a time."""

    def has_room(self) -> bool:
        """A further job would soon begin."""
        ...

    def add(self, job: int, block: PromptBlock) -> None:
        """The block's prompts are to be answered beside those that are there; `job` is a number never used before.

        Raises:
            PromptTooLong: any prompt does not fit; the batch stays as it was.
            GenerationFailed: the block cannot be generated at all; the batch stays as it was.
        """
        ...

    def drop(self, job: int) -> None:
        """End a job early; no message will speak of it any more."""
        ...

    def step(self) -> Sequence[Answered | Ended]:
        """The prompts under way each gain a token. Returns what came of it: completions, and the last word on each job
        that is complete or whose rest cannot be generated. What is raised instead concerns all jobs."""
        ...


@runtime_checkable
class BatchingEngine(Engine, Protocol):
    """An engine that takes further blocks in while it generates for others."""

    def batch(self, decoding: Decoding) -> Batch:
        """A batch without jobs."""
        ...


@runtime_checkable
class PaysBeside(Protocol):
    """A TextModel that costs money beside the completions that it gives."""

    def paid_beside(self) -> Usage:
        """What it has paid for since it was last asked, and what is in no completion."""
        ...


LoadEngine = Callable[[], Engine | RewardEngine]
"""Makes the engine in the process that calls it; picklable, so that it can travel to a worker.
Raises InputError when the model cannot be loaded."""


class TextModel(Protocol):
    """One model, however many workers stand behind it."""

    async def start(self) -> ModelCard:
        """Load it. Idempotent.

        Raises:
            InputError: the model cannot be loaded, or the workers asked for can never be had.
        """
        ...

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        """See `Engine.count_tokens`."""
        ...

    def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:
        """See `Engine.generate`; many calls may be open at once. Also raises WorkersUnavailable.

        Where the workers share a block, only those suffixes go without an answer that are in one part with a failure.
        Closing the iterator early gives up the rest of the block.
        """
        ...

    def score(self, block: PromptBlock, continuations: Continuations) -> AsyncIterator[tuple[int, Likelihood]]:
        """See `Engine.score`, and otherwise `generate`."""
        ...

    def activity(self) -> WorkersActivity:
        """What the workers are doing now, for people who watch."""
        ...

    async def close(self) -> None:
        """Give every resource back. Idempotent."""
        ...


class RewardModel(Protocol):
    """One reward model, however many workers stand behind it. What is not explained here is as in `TextModel`."""

    async def start(self) -> ModelCard: ...

    def rate(self, block: PromptBlock) -> AsyncIterator[tuple[int, Reward]]:
        """See `RewardEngine.rate`, and otherwise `TextModel.generate`."""
        ...

    def activity(self) -> WorkersActivity: ...

    async def close(self) -> None: ...
