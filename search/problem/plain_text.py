"""A text without what it may be wrapped in or disguised by: HTML, links, escapes, labels, accents, look-alikes.

A question that a pool has from a web page, a PDF or a dump of requests is the same question.
"""

import re
import unicodedata
from functools import cache
from html import unescape
from urllib.parse import unquote

from search.problem.text_overlap import Words, words_of

_TAG = re.compile(
    r"</?(?:a|abbr|b|blockquote|br|center|code|dd|div|dl|dt|em|font|h[1-6]|hr|i|li|mark|ol|p|pre|q|s|small|span|strong|"
    r"sub|sup|table|tbody|td|th|thead|tr|tt|u|ul)"
    r"""(?:\s+[\w-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*\s*/?>""",
    re.I,
)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*(?:\s+\"[^\"\n]*\")?\)")
_ESCAPED_CHARACTER = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPED_BREAK = re.compile(r"\\[nrt](?![a-z])")  # not LaTeX's \nu, \rho, \times
_LABEL = re.compile(
    r"\W*(?:q|question|query|prompt|problem|exercise|task|instruction|user|human)\s*\d*\s*[:.)]\s*", re.I
)
_ANSWER = re.compile(r"\n\W*(?:a|answer|response|assistant|ai)\s*:\s*\Z", re.I)
_TAIL = 40  # characters in which a label of the answer may stand
_ACCENTS = dict.fromkeys(range(0x300, 0x370))
_LOOK_ALIKES = dict(zip(map(ord, "авеѕіјкмнорстухһԁԛԝο"), "abesijkmhopctyxhdqwo", strict=True))
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_LATIN = re.compile(r"[a-z]")


def read_words(text: str) -> Words:
    """The words of a text as it reads, by which it is compared with the benchmark."""
    return words_of(plain(text))


def plain(text: str) -> str:
    """The text as it reads, for comparison: what is left out or replaced makes no difference to what is asked."""
    if "&" in text:
        text = unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    if "\\" in text:
        text = _ESCAPED_BREAK.sub("\n", _ESCAPED_CHARACTER.sub(lambda match: chr(int(match[1], 16)), text))
    if "%20" in text:
        text = unquote(text, errors="replace")
    if not text.isascii():
        text = _without_marks(text)
    if label := _LABEL.match(text):
        text = text[label.end() :] or text
    return text[:-_TAIL] + _ANSWER.sub("", text[-_TAIL:])


@cache
def _format_characters() -> dict[int, None]:
    """Characters without width, for `str.translate`; they take 15 ms to find."""
    return {code: None for code in range(0x80, 0x20000) if unicodedata.category(chr(code)) == "Cf"}


def _without_marks(text: str) -> str:
    """Text without accents and invisible characters; letters that only look Latin as Latin ones, in a text in which
    nothing speaks for another script."""
    text = unicodedata.normalize("NFKD", text.translate(_format_characters())).translate(_ACCENTS)
    lowered = text.lower()
    if _CYRILLIC.search(lowered) or "ο" in lowered:
        folded = lowered.translate(_LOOK_ALIKES)
        if _LATIN.search(lowered) and not _CYRILLIC.search(folded):
            text = folded
    return unicodedata.normalize("NFC", text)
