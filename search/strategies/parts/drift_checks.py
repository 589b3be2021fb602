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
    the last checks. Where a search goes on under a larger budget, further ones have their turn at the questions that
    were checked longest ago.

    Args:
        base: the base prompt, whose answers to all these questions have been judged once.
        count: checks, >= 0; one for each question at most.
    """

    def __init__(self, base: Candidate, questions: Sequence[str], count: int, seed: int) -> None:
        self._base = base
        size = max(1, min(_BLOCK, len(questions) // max(1, count)))
        self._blocks = shuffled_blocks(questions, size, seed)
        self._count = self._planned = min(count, len(self._blocks))
        self._since, self._before, self._done = 0.0, 0, 0

    @property
    def answers(self) -> int:
        """How many answers all of them judge again."""
        return sum(len(trial.questions) for trial in self._checks(0, self._planned))

    def extend(self, spent: float) -> None:
        """Plan the checks of what is left of a larger budget, of which a share `spent` in [0, 1] is spent: as many as
        that share leaves, one at the least."""
        self._since, self._before = min(1.0, spent), self._done
        self._planned = self._done + (max(1, round(self._count * (1 - self._since))) if self._count else 0)

    def due(self, spent: float, room: int) -> list[Trial]:
        """Return at most `room` checks for which it is time when a share `spent` of the budget, in [0, 1], is spent."""
        planned = self._planned - self._before
        left = 1 - self._since
        progress = (spent - self._since) / left if spent < 1 and left else float(spent >= 1)
        made = self._before + min(planned, int(max(0.0, progress) * (planned + 1) + 1e-9))
        checks = self._checks(self._done, made)[:room]
        self._done += len(checks)
        return checks

    def _checks(self, start: int, stop: int) -> list[Trial]:
        """Checks of these numbers, in the order of time; each time that a question is met it is judged anew."""
        rounds = ((number // len(self._blocks), number % len(self._blocks)) for number in range(start, stop))
        return [Trial(self._base, self._blocks[place], again=1 + times) for times, place in rounds]
