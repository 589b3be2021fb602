"""The questions that ordered sets, and their members, have been asked."""

import numpy as np

from search.statistics.observed_scores import Floats, OrderedSet


class MetQuestions:
    """Deals out blocks of questions: those that a set has not met, and its members the least.

    Args:
        demonstrations, questions: how many, N and Q; sets and blocks are made of numbers from 0.
        block: questions of a block, >= 1.
        draw: breaks ties.
    """

    def __init__(self, demonstrations: int, questions: int, block: int, draw: np.random.Generator) -> None:
        self._questions, self._block, self._draw = questions, block, draw
        self._asked: dict[OrderedSet, set[int]] = {}
        self._met = np.zeros((demonstrations, questions))

    def all_asked(self, chosen: OrderedSet) -> None:
        """Take note that a set has been asked about everything."""
        self._asked[chosen] = set(range(self._questions))

    def blocks_left(self, chosen: OrderedSet) -> int:
        """Return how many blocks a set has still to meet."""
        return -(-(self._questions - len(self._asked.get(chosen, ()))) // self._block)

    def times_asked(self) -> Floats:
        """Return how many questions each demonstration has been asked about in sets, [N]."""
        times: Floats = self._met.sum(axis=1)
        return times

    def next_block(self, chosen: OrderedSet) -> list[int]:
        """Return the next block for a set, in order, and count it as asked; empty where it has met everything."""
        seen = self._asked.setdefault(chosen, set())
        fresh = np.array([number for number in range(self._questions) if number not in seen], dtype=np.int64)
        met = self._met[list(chosen)].sum(axis=0) + self._draw.random(self._questions) * 0.5
        block: list[int] = fresh[np.argsort(met[fresh], kind="stable")[: self._block]].tolist()
        seen.update(block)
        self._met[np.ix_(list(chosen), block)] += 1
        return sorted(block)
