"""One row of data."""

from collections.abc import Sequence
from typing import Any

from configs.errors import InputError


class Row(dict[str, Any]):
    """One row, which knows where it stands so that a complaint about it can say so.

    Attributes:
        place: for example `pool.jsonl, line 17`.
    """

    def __init__(self, fields: dict[str, Any], place: str) -> None:
        super().__init__(fields)
        self.place = place

    def text(self, field: str) -> str:
        """The text in a field that every row must have; "" where it is null.

        Raises:
            InputError: the field is missing, or holds something else than text.
        """
        if field not in self:
            raise InputError(f"{self.place}: there is no field '{field}'; name one of: {', '.join(map(str, self))}.")
        return self.optional_text(field) or ""

    def optional_text(self, field: str) -> str | None:
        """The text in a field, or None where it is missing or null.

        Raises:
            InputError: it holds something else than text.
        """
        value = self.get(field)
        if value is None:
            return None
        if not isinstance(value, str):
            raise InputError(f"{self.place}: field '{field}' holds {kind_of(value)}, not text; name a field with text.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InputError(
                f"{self.place}: field '{field}' holds half a character (a lone surrogate); fix it."
            ) from None
        return value

    def identifier(self, field: str) -> str | None:
        """The id in a field, as text, or None where it is missing or null."""
        value = self.get(field)
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else self.optional_text(field)


def places_in_words(places: Sequence[str]) -> str:
    """For example `pool.jsonl, lines 1 and 61`, of places such as those of rows."""
    *files, _ = parted = [place.rpartition(", ")[::2] for place in places]
    if len(parted) < 2 or len({(file, line.partition(" ")[0]) for file, line in parted}) > 1 or not files[0][0]:
        return " and ".join(places)
    numbers = [line.rpartition(" ")[2] for _, line in parted]
    unit = parted[0][1].partition(" ")[0]
    return f"{parted[0][0]}, {unit}s {', '.join(numbers[:-1])} and {numbers[-1]}"


def kind_of(value: Any) -> str:
    """What a value is, in a JSON user's words."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(value), "a number" if isinstance(value, (int, float)) else f"a {type(value).__name__}")
