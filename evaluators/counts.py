"""What this process has done so far."""

from collections import Counter
from dataclasses import dataclass, field

from workers.stopwatch import Stopwatch


@dataclass(slots=True)
class Counts:
    """Counts for people who watch.

    Attributes:
        generated: completions received.
        judged: verdicts received.
        reused: evaluations that the ledger answered whole.
        evaluated: questions that are through, once for each prompt: scored or failed, those of `reused` included.
        new_tokens: generated.
        causes: items that failed, by the error's kind.
        waits: runs while any answer waits for its verdict.
    """

    generated: int = 0
    judged: int = 0
    reused: int = 0
    evaluated: int = 0
    new_tokens: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    waits: Stopwatch = field(default_factory=Stopwatch)

    @property
    def waiting(self) -> int:
        """Answers that wait for their verdict now."""
        return self.waits.under_way

    @property
    def failed(self) -> int:
        """Items that failed."""
        return self.causes.total()
