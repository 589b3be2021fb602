"""One choice of demonstrations and of their decoding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

OWN = ""
"""The name of the run's own decoding."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An ordered choice of demonstrations, the base prompt's own included, and how answers behind it are decoded.

    Attributes:
        demonstrations: ids, from the top of the prompt down.
        decoding: the name of one of the strategy's further decodings, or `OWN`.

    Raises:
        ValueError: a demonstration stands twice.
    """

    demonstrations: tuple[str, ...]
    decoding: str = OWN

    def __post_init__(self) -> None:
        if len(set(self.demonstrations)) != len(self.demonstrations):
            raise ValueError(f"a demonstration occurs twice in {self.demonstrations}")

    def __len__(self) -> int:
        return len(self.demonstrations)

    def to_json(self) -> list[str] | dict[str, Any]:
        """The candidate in a journal: a plain list of ids where the decoding is the run's own."""
        names = list(self.demonstrations)
        return names if self.decoding == OWN else {"demonstrations": names, "decoding": self.decoding}

    @classmethod
    def from_json(cls, content: Sequence[str] | Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        if isinstance(content, Mapping):
            return cls(tuple(content["demonstrations"]), content["decoding"])
        return cls(tuple(content))
