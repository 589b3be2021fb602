"""One benchmark item."""

from dataclasses import dataclass

Conversation = tuple[str, ...]
"""What was said so far, by user and model in turn; the user begins, and the last word is the user's."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what belongs to it whatever model answers and whatever judge reads.

    Attributes:
        id: unique within the benchmark, as text.
        turns: what the user says, turn by turn; at least one, none empty.
        category: "" where the benchmark has none.
        references: right answers by turn, None for a turn without; may be shorter than `turns`.
        baseline: another model's answer to the first turn, which answers are compared with.
    """

    id: str
    turns: tuple[str, ...]
    category: str = ""
    references: tuple[str | None, ...] = ()
    baseline: str | None = None

    @property
    def query(self) -> str:
        """What is asked first."""
        return self.turns[0]

    def reference(self, turn: int = 0) -> str | None:
        """The right answer to a turn, from 0, where the benchmark has one."""
        return self.references[turn] if turn < len(self.references) else None
