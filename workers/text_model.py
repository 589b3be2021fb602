"""The two faces of a language model: `Engine` in a worker's process, `TextModel` before the coordinator."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from workers.activity import WorkersActivity
from workers.prompt import Completion, Decoding, PromptBlock


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a loaded model says of itself.

    Attributes:
        fingerprint: everything that can change a completion except prompt and decoding: model id, revision or
            content digest, engine, dtype, quantisation, library versions. Equal on all workers of a run.
        context_tokens: prompt and new tokens together must not exceed this.
        device: where it runs, for people ("cpu", "cuda:0 NVIDIA H200"); not part of the fingerprint.
    """

    fingerprint: str
    context_tokens: int
    device: str


class Engine(Protocol):
    """A model loaded in this process. Synchronous, used by one thread at a time."""

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


LoadEngine = Callable[[], Engine]
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
        """As `Engine.count_tokens`."""
        ...

    def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:
        """As `Engine.generate`; many calls may be open at once. Also raises WorkersUnavailable.

        Where the workers share a block, only those suffixes go without an answer that are in one part with a failure.
        Closing the iterator early gives up the rest of the block.
        """
        ...

    def activity(self) -> WorkersActivity:
        """What the workers are doing now, for people who watch."""
        ...

    async def close(self) -> None:
        """Give every resource back. Idempotent."""
        ...
