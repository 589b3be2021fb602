"""Part of a block: what travels to one worker."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil

from workers.prompt import Answer, PromptBlock, Task
from workers.worker_group.prefix_affinity import Chain, chain_of

News = tuple[int, Answer] | BaseException | None


@dataclass(eq=False, slots=True)
class Piece:
    """A part of a block that one worker runs.

    Attributes:
        block: the whole block.
        unanswered: suffix indices of the block that this piece still owes, in order.
        tell: hears each `(suffix index, answer)` once and then, once, how the piece ended: None or an error.
        chain: of the block's prefix.
        holders: workers that have it; a second one works on a copy.
        copied: a second one has had it at some time.
        attempts: workers lost while they were running it and can have run no other.
        suspect: was on a worker that was lost.
        has_failed: an engine could not do it; another is still trying.
        over: nobody waits for it any more.
        number: of the block, counted from 1 in the order asked.
    """

    block: PromptBlock
    task: Task[Answer]
    unanswered: list[int]
    tell: Callable[[News], None]
    chain: Chain
    holders: list[int] = field(default_factory=list)
    copied: bool = False
    attempts: int = 0
    suspect: bool = False
    has_failed: bool = False
    over: bool = False
    number: int = 1

    def is_copy(self, worker: int) -> bool:
        """Whether another worker has held it for longer."""
        return self.holders[0] != worker

    def indices_for(self, worker: int) -> list[int]:
        """What to send: a copy begins at the other end, so that where few are answered at a time the two meet."""
        return self.unanswered[::-1] if self.is_copy(worker) else self.unanswered[:]


def cut(
    block: PromptBlock, task: Task[Answer], block_size: int, tell: Callable[[News], None], block_number: int = 1
) -> list[Piece]:
    """Pieces of nearly equal size, none with more than `block_size` suffixes."""
    total, chain = len(block.suffixes), chain_of(block.prefix)
    number = ceil(total / block_size)
    edges = [total * piece // number for piece in range(number + 1)] if number else []
    return [
        Piece(block, task, list(range(start, stop)), tell, chain, number=block_number)
        for start, stop in pairwise(edges)
    ]
