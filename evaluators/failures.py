"""What can go wrong between a completion and its verdict, on the judge's side.

ReferencesMissing       (InputError) questions lack the answers that a judge compares with
VerdictUnreadable       the judge spoke, but gave no rating; carries its words
JudgeFailed             no verdict for this answer: the judge broke down, or does not take it
VerdictStopped          (RunStopped) the judge can go on with nothing, behind attempts that were paid for
BudgetSpent             (RunStopped) a limit of the config is reached

A service adds its own: `workers.service.failures`.
"""

from configs.errors import DemosearchError, InputError, RunStopped
from workers.usage import NOTHING, Usage


class ReferencesMissing(InputError):
    """Questions lack reference answers, or a baseline's, that the judge compares answers with."""


class JudgeFailed(DemosearchError):
    """One verdict could not be had.

    Attributes:
        usage: what was paid for nevertheless.
    """

    def __init__(self, message: str, usage: Usage = NOTHING) -> None:
        super().__init__(message)
        self.usage = usage


class VerdictUnreadable(JudgeFailed):
    """No rating, or none on the scale, in what the judge said."""


class VerdictStopped(RunStopped):
    """A verdict that was not asked for to the end, because the run was stopping; the cause is chained.

    Attributes:
        usage: what was paid for.
    """

    def __init__(self, message: str, usage: Usage) -> None:
        super().__init__(message)
        self.usage = usage


class BudgetSpent(RunStopped):
    """A limit of the config is reached; with a larger one, `resume` goes on."""
