"""How demonstrations are dealt into groups that are judged together."""

import numpy as np
from numpy.typing import NDArray

from search.statistics.observed_scores import Floats, OrderedSet
from search.strategies.parts.numbered_space import NumberedSpace

_GROUP = 8
_SMALLER_EVERY = 3  # groups; what only sets of one kind do is hidden in large groups


class Groups:
    """Deals balanced groups.

    Args:
        draw: breaks ties.
    """

    def __init__(self, numbered: NumberedSpace, draw: np.random.Generator) -> None:
        self._numbered, self._draw = numbered, draw
        self._most = numbered.space.max_added
        self._size = min(self._most, _GROUP)
        self._dealt = 0

    @property
    def least(self) -> int:
        """How many demonstrations must be left for groups of them to differ."""
        return max(2 * self._size, 2 * self._most + 2)

    def deal(self, inside: NDArray[np.intp], asked: Floats, count: int, block: int) -> list[OrderedSet]:
        """Deal `count` groups of those inside.

        Args:
            asked: how many questions each demonstration has been asked about, [N]; groups of this call are added.
            block: questions that each group will be asked about.
        """
        groups = []
        for _ in range(count):
            self._dealt += 1
            smaller = self._dealt % _SMALLER_EVERY == 0
            group = self._least_asked(inside, asked, max(1, (self._size + 1) // 2) if smaller else self._size)
            asked[group] += block
            groups.append(self._numbered.arranged(tuple(group)))
        return groups

    def _least_asked(self, inside: NDArray[np.intp], asked: Floats, size: int) -> list[int]:
        """What is required, and those that have been asked about least, in random order among equals."""
        shuffled = self._draw.permutation(inside)
        group = list(self._numbered.required)
        for number in shuffled[np.argsort(asked[shuffled], kind="stable")].tolist():
            if len(group) >= size:
                break
            if number not in group and self._numbered.fits([*group, number]):
                group.append(number)
        return group
