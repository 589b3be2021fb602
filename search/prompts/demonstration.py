"""One in-context example."""

from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A query with the answer the model shall imitate.

    Attributes:
        id: unique within pool and base prompt; `content_id` where the data give none.
        query: never empty.
        answer: never empty.
    """

    id: str
    query: str
    answer: str


def content_id(query: str, answer: str) -> str:
    """Sixteen hexadecimal digits that depend on the content alone, whatever the row's position."""
    return sha256(f"{len(query)}\x00{query}\x00{answer}".encode()).hexdigest()[:16]
