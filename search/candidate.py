"""One choice of demonstrations."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ordered choice of demonstrations, the base prompt's own included: ids from the top of the prompt down.

    Raises:
        ValueError: a demonstration stands twice.
    """

    demonstrations: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.demonstrations)) != len(self.demonstrations):
            raise ValueError(f"a demonstration stands twice in {self.demonstrations}")

    def __len__(self) -> int:
        return len(self.demonstrations)

    def to_json(self) -> list[str]:
        """As the journal has it."""
        return list(self.demonstrations)

    @classmethod
    def from_json(cls, content: list[str]) -> Self:
        """The inverse of `to_json`."""
        return cls(tuple(content))
