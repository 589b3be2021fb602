"""A table in words, whatever it is printed as."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Attributes:
        rows: as many cells each as `head`, spelled.
    """

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
