"""How much of a prefix each worker has met lately, so that its key-value cache probably still holds it.

A prefix is represented by its chain: one hash for each stretch of 256 characters, each hash covering everything left of
it too. Two prefixes share as many stretches as their chains share leading hashes, and a set of hashes is enough to find
the longest known beginning of a chain by bisection (the block hashes of vLLM's prefix cache, at text level).
"""

from bisect import bisect_left
from collections import Counter, defaultdict, deque

Chain = tuple[int, ...]

STRETCH = 256  # characters, some 60 tokens: shorter than a demonstration


def chain_of(prefix: str) -> Chain:
    """Hashes of all whole stretches, then of the whole prefix. Comparable within one process only."""
    hashes, last = [], 0
    for start in range(0, len(prefix), STRETCH):
        last = hash((last, prefix[start : start + STRETCH]))
        hashes.append(last)
    return tuple(hashes)


class PrefixMemory:
    """The last prefixes given to each worker.

    Args:
        remembered: prefixes a worker is believed to hold; more than fit its cache is harmless, affinity only prefers.
    """

    def __init__(self, remembered: int = 16) -> None:
        self._remembered = remembered
        self._recent: defaultdict[int, deque[Chain]] = defaultdict(deque)
        self._held: defaultdict[int, Counter[int]] = defaultdict(Counter)
        self._anywhere: Counter[int] = Counter()

    def note(self, worker: int, chain: Chain) -> None:
        """The worker is about to read this prefix."""
        recent = self._recent[worker]
        if chain in recent:
            recent.remove(chain)
            recent.append(chain)
            return
        recent.append(chain)
        self._held[worker].update(chain)
        self._anywhere.update(chain)
        if len(recent) > self._remembered:
            self._drop(worker, recent.popleft())

    def forget(self, worker: int) -> None:
        """The worker has lost its cache."""
        for chain in self._recent.pop(worker, ()):
            self._drop(worker, chain)
        self._held.pop(worker, None)

    def loss(self, worker: int, chain: Chain) -> int:
        """Stretches that this worker would have to read anew although some worker holds them."""
        return _depth(self._anywhere, chain) - _depth(self._held[worker], chain)

    def _drop(self, worker: int, chain: Chain) -> None:
        for counter in (self._held[worker], self._anywhere):
            counter.subtract(chain)
            for number in chain:
                if counter[number] <= 0:
                    del counter[number]


def _depth(held: Counter[int], chain: Chain) -> int:
    """Leading hashes of the chain that are held; all in front of a held hash are held too."""
    return bisect_left(chain, True, key=lambda number: number not in held)
