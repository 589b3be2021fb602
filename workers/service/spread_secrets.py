"""Finds secrets whose characters are spread over a text, or spelled one by one.

A key may come back over several lines, with blanks, dashes or invisible characters between its letters, as `\\x73`,
`&#115;`, `%2573` or `115, 107`, or encoded twice. What is compared are the letters and digits alone, in lower case; a
run of `_RUN` of them that is also one of the secret's, or of one of its encodings, gives it away.
"""

import re
from base64 import b32encode, b64encode
from codecs import encode
from collections.abc import Iterable, Iterator
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

_RUN = 12
_WINDOW = 8  # bytes of a number
_BACKSLASHES = r"(?<!\\)\\++"  # from the first on: else a text of nothing else takes time by the square of its length
_SPELLED = (
    rf"{_BACKSLASHES}u([0-9a-f]{{4}})|(?:{_BACKSLASHES}|\b0)x([0-9a-f]{{2}})(?![0-9a-f])|{_BACKSLASHES}x([0-9a-f]{{2}})"
    r"|%(?:25)*([0-9a-f]{2})|&#x0*([0-9a-f]{1,4});|&#0*([0-9]{1,5});"
    rf"|{_BACKSLASHES}([0-3][0-7]{{2}})|(?<![01])([01]{{8}})(?![01])|{_BACKSLASHES}[abfnrtv]"
)
_MAY_BE_SPELLED = re.compile(r"[\\%]|&#|0x|[01]{8}")
_ESCAPE = re.compile(_SPELLED, re.IGNORECASE)
_UNIT = re.compile(rf"{_SPELLED}|(\w)", re.IGNORECASE)
_BASES = {6: 10, 7: 8, 8: 2}  # of groups; 16 of the others
_PLAIN = 9  # group
_OTHERS = bytes(octet for octet in range(256) if not chr(octet).isalnum() or octet > 127)


class SpreadSecrets:
    """A search for secrets whose characters are spread over a text.

    Args:
        secrets: of eight characters or more.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {_letters(form) for secret in secrets for form in _forms(secret)}
        self._runs = frozenset(form[at : at + _RUN] for form in forms for at in range(len(form) - _RUN + 1))
        self._windows = numbers_of(run[:_WINDOW] for run in self._runs)

    def may_show(self, text: str) -> bool:
        """Whether a closer look is worth while: fast, and seldom wrong."""
        if not self._runs:
            return False
        if _MAY_BE_SPELLED.search(text):
            text = _ESCAPE.sub(_character, text)
        return has_any(_letters(text).encode(), self._windows)

    def hide(self, text: str, mark: str) -> str:
        """The text with a mark in the place of each such run, whatever stands between its characters."""
        if not self.may_show(text):
            return text
        shown, last = [], 0
        for begin, end in self._occurrences(text):
            if begin >= last:
                shown += [text[last:begin], mark]
            last = max(last, end)
        return "".join([*shown, text[last:]])

    def _occurrences(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where runs begin and end, by their beginnings."""
        squeezed, places = [], []
        for unit in _UNIT.finditer(text):
            for letter in _letters(_character(unit)):
                squeezed.append(letter)
                places.append(unit.span())
        letters = "".join(squeezed)
        for at in range(len(letters) - _RUN + 1):
            if letters[at : at + _RUN] in self._runs:
                yield places[at][0], places[at + _RUN - 1][1]


def numbers_of(pieces: Iterable[str]) -> NDArray[np.uint64]:
    """Pieces of eight characters as numbers, sorted; those that are longer in UTF-8 are no part of a key."""
    return np.unique(np.frombuffer(b"".join(piece.encode() for piece in pieces if piece.isascii()), np.uint64))


def has_any(octets: bytes, numbers: NDArray[np.uint64]) -> bool:
    """Whether any eight bytes in a row are one of these numbers, which are sorted."""
    if len(octets) < _WINDOW or not len(numbers):
        return False
    windows: NDArray[np.uint64] = np.ndarray(len(octets) - _WINDOW + 1, np.uint64, octets, strides=(1,))
    places = np.searchsorted(numbers, windows).clip(max=len(numbers) - 1)
    return bool((numbers[places] == windows).any())


def _character(unit: re.Match[str]) -> str:
    """What an escape stands for, and a letter for itself; "" for a line break."""
    number = unit.lastindex
    if number is None:
        return ""
    return unit[number] if number == _PLAIN else chr(int(unit[number], _BASES.get(number, 16)))


def _letters(text: str) -> str:
    """Keep letters and digits, in lower case; full-width ones become plain ones."""
    plain = text if text.isascii() else normalize("NFKC", text)
    return plain.lower().encode("ascii", "ignore").translate(None, _OTHERS).decode()


def _forms(secret: str) -> Iterator[str]:
    octets = secret.encode()
    yield secret
    yield secret[::-1]
    yield encode(secret, "rot13")
    yield octets.hex()
    yield "".join(map(str, octets))  # character codes
    yield b32encode(octets).decode().rstrip("=")
    once = b64encode(octets)
    yield once.decode().rstrip("=")
    yield b64encode(once).decode().rstrip("=")
