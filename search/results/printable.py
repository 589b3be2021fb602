"""Text that steers nothing: no terminal, and no reader's eye."""

import re

_STEERS = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u200e\\u200f"
    "\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff\\ufff9-\\ufffb\\U000110bd\\U000110cd\\U00013430-\\U00013438]"
)
"""Control characters but line break and tab, format characters that have a direction, halves of characters."""


def printable(text: str) -> str:
    """Control characters, marks that change the direction of writing, and half characters, spelled out."""
    return text if text.isprintable() else _STEERS.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
