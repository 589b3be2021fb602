"""What this process has done so far."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """For the progress view.

    Attributes:
        generated: completions received.
        judged: verdicts received.
        known: evaluations that the ledger answered whole.
        failed: items that failed.
        new_tokens: generated.
        waiting: answers that wait for their verdict now.
        settled: answers that have their score, or a failure in its place, those of `known` included.
    """

    generated: int = 0
    judged: int = 0
    known: int = 0
    failed: int = 0
    new_tokens: int = 0
    waiting: int = 0
    settled: int = 0
