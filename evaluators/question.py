"""One benchmark item."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what belongs to it whatever model answers and whatever judge reads.

    Attributes:
        id: unique within the benchmark, as text.
        query: what is asked; never empty.
        category: "" where the benchmark has none.
        reference: a right answer, where the benchmark has one.
    """

    id: str
    query: str
    category: str = ""
    reference: str | None = None
