"""One row of data."""

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from configs.errors import InputError

_LONGEST_ID = 1000
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # Hangul's and Braille's: they count as letters and symbols
_SHOWN = 80  # characters of a name
_PATH = re.compile(r"[^\[\].]+(?:\.[^\[\].]+|\[\d{1,9}\])*")
_STEP = re.compile(r"([^\[\].]+)|\[(\d+)\]")


class Row(dict[str, Any]):
    """One row, which knows where it stands so that a complaint about it can say so.

    Attributes:
        place: for example `pool.jsonl, line 17`.
    """

    def __init__(self, fields: dict[str, Any], place: str) -> None:
        super().__init__(fields)
        self.place = place

    def value(self, field: str) -> Any:
        """What is in a field, or in one inside another, such as `instances[0].input`; None where it is missing.

        A field whose whole name is `field` comes first. NaN, which pandas writes for a missing value, is None. Parts of
        text, as OpenAI's messages may have them, are one text.
        """
        if field in self:
            return _present(self[field])
        if ("." not in field and "[" not in field) or not _PATH.fullmatch(field):
            return None
        reached: Any = dict(self)
        for name, number in _STEP.findall(field):
            if number:
                reached = reached[int(number)] if isinstance(reached, list) and int(number) < len(reached) else None
            else:
                reached = reached.get(name) if isinstance(reached, dict) else None
        return _present(reached)

    def has(self, field: str) -> bool:
        """Whether there is such a field, even if it is null."""
        return field in self or self.value(field) is not None

    def text(self, field: str, knob: str = "") -> str:
        """The text in a field that every row must have; "" where it is null.

        Args:
            knob: which says what the field is called, for the complaint.

        Raises:
            InputError: the field is missing, or holds something else than text.
        """
        if not self.has(field):
            names = ", ".join(map(_shown, self)) or "(the row has none)"
            set_it = f"set `{knob}` to one of" if knob else "name one of"
            raise InputError(f"{self.place}: there is no field '{_shown(field)}'; {set_it}: {names}")
        return self.optional_text(field) or ""

    def optional_text(self, field: str) -> str | None:
        """The text in a field, or None where it is missing, null or NaN.

        Raises:
            InputError: it holds something else than text.
        """
        value = self.value(field)
        if value is None:
            return None
        if not isinstance(value, str):
            raise InputError(f"{self.place}: field '{field}' holds {kind_of(value)}, not text; name a field with text")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InputError(
                f"{self.place}: field '{field}' holds half a character (a lone surrogate); fix it"
            ) from None
        return value

    def identifier(self, field: str) -> str | None:
        """The id in a field, as text, or None where it is missing or null; 81.0, as pandas writes 81, is 81.

        Raises:
            InputError: it is no text and no whole number, or is longer than a name can be.
        """
        value = self.value(field)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        whole = isinstance(value, int) and not isinstance(value, bool)
        name = str(value) if whole else self.optional_text(field)
        if name is not None and len(name) > _LONGEST_ID:
            raise InputError(
                f"{self.place}: the id in '{field}' has {len(name):,} characters; use at most {_LONGEST_ID:,}"
            )
        return name


def _shown(field: object) -> str:
    """A field's name as a message shows it: never longer than a line."""
    name = str(field)
    return name if len(name) <= _SHOWN else f"{name[: _SHOWN - 3]}..."


def is_blank(text: str | None) -> bool:
    """Whether nothing of it can be seen: white space and characters without width only. Private and unassigned ones may
    well be seen: fonts and later versions of Unicode have them."""
    return text is None or all(
        character in _FILLERS or unicodedata.category(character) in _UNSEEN for character in text
    )


def _present(value: Any) -> Any:
    if isinstance(value, list) and value and all(map(_is_part_of_text, value)):
        return "".join(part["text"] for part in value)
    return None if isinstance(value, float) and math.isnan(value) else value


def _is_part_of_text(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "text" and isinstance(value.get("text"), str)


def places_in_words(places: Sequence[str]) -> str:
    """Places such as those of rows in words, for example `pool.jsonl, lines 1 and 61`."""
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
