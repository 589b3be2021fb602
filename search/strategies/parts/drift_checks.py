"""The times at which the base prompt's answers are judged again, to see whether the judge's level drifts."""

from collections.abc import Sequence

from search.problem.candidate import Candidate
from search.problem.trial import Trial
from search.strategies.parts.successive_races import shuffled_blocks


class DriftChecks:
    """A number of checks, equally far apart, each on another block of questions; fewer where there are fewer blocks.

    Args:
        base: the base prompt, whose answers to all these questions have been judged once.
        block: questions of a check.
        count: checks, >= 0.
    """

    def __init__(self, base: Candidate, questions: Sequence[str], block: int, count: int, seed: int) -> None:
        self._base, self._count, self._done = base, count, 0
        self._blocks = shuffled_blocks(questions, block, seed)[:count]

    def due(self, spent: float) -> list[Trial]:
        """Return the next check where a share `spent` of the budget, in [0, 1], says that it is time for it."""
        if self._done >= len(self._blocks) or spent < (self._done + 1) / (self._count + 1):
            return []
        self._done += 1
        return [Trial(self._base, self._blocks[self._done - 1], again=1)]
