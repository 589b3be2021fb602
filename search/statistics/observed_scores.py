"""Scores as the effects model takes them: which set of demonstrations scored what on which question."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
OrderedSet = tuple[int, ...]


@dataclass(slots=True)
class ObservedScores:
    """Every score so far: which set scored what on which question, and how many answers had been told before. Sets are
    distinct, in the order first observed."""

    sets: list[OrderedSet] = field(default_factory=list)
    number: dict[OrderedSet, int] = field(default_factory=dict)
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    questions: list[NDArray[np.int64]] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    count: int = 0

    def tell(self, ordered: OrderedSet, questions: ArrayLike, values: ArrayLike) -> None:
        """Scores of one set: as many values as questions (numbers from 0)."""
        asked = np.asarray(questions, dtype=np.int64)
        row = self.number.setdefault(ordered, len(self.sets))
        if row == len(self.sets):
            self.sets.append(ordered)
        self.rows.append(np.full(len(asked), row))
        self.questions.append(asked)
        self.values.append(np.asarray(values, dtype=float))
        self.before.append(self.count)
        self.count += len(asked)

    def periods(self, count: int) -> NDArray[np.int64]:
        """Return the number of the period in which each score was told, [n], where all scores are cut into `count`
        periods, equally long in scores; those that were told together fall into one."""
        starts = np.array(self.before, dtype=np.int64) * count // max(1, self.count)
        return np.repeat(starts, [len(asked) for asked in self.questions])
