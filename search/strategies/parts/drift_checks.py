"""The times at which the base prompt's answers are judged again, to see whether the judge's level drifts."""

from collections.abc import Sequence

from search.problem.candidate import Candidate
from search.problem.trial import Trial
from search.strategies.parts.successive_races import shuffled_blocks

MOST_CHECKS = 8
"""How many checks tell a drift where nobody says how many."""
_BLOCK = 8


class DriftChecks:
    """A number of checks, equally far apart, each on questions of its own: 8, or fewer where that would leave none for
    the last checks.

    Args:
        base: the base prompt, whose answers to all these questions have been judged once.
        count: checks, >= 0; one for each question at most.
    """

    def __init__(self, base: Candidate, questions: Sequence[str], count: int, seed: int) -> None:
        self._base, self._done = base, 0
        size = max(1, min(_BLOCK, len(questions) // max(1, count)))
        self._blocks = shuffled_blocks(questions, size, seed)[:count]

    @property
    def answers(self) -> int:
        """How many answers all of them judge again."""
        return sum(len(block) for block in self._blocks)

    def due(self, spent: float, room: int) -> list[Trial]:
        """Return at most `room` checks for which it is time when a share `spent` of the budget, in [0, 1], is spent."""
        made = min(len(self._blocks), int(spent * (len(self._blocks) + 1) + 1e-9))
        blocks = self._blocks[self._done : max(self._done, made)][:room]
        self._done += len(blocks)
        return [Trial(self._base, block, again=1) for block in blocks]
