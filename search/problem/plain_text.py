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
    r"(?<=\w)<!--[^<>]{0,20}-->(?=\w)|<!--|-->|"  # within a word it parts it; elsewhere it may hold the question
    r"</?(?:a|abbr|article|b|blockquote|body|br|button|center|code|dd|del|div|dl|dt|em|figure|font|footer|h[1-6]|"
    r"header|hr|html|i|img|ins|label|li|main|mark|ol|option|p|pre|q|s|section|small|span|strike|strong|sub|summary|sup|"
    r"table|tbody|td|th|thead|tr|tt|u|ul|wbr)"
    r"""(?:\s+[\w-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*\s*/?>""",
    re.IGNORECASE | re.DOTALL,
)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*(?:\s+\"[^\"\n]*\")?\)")
_QUOTED_LINE = re.compile(r"^[^\S\n]*(?:>[^\S\n]?)+", re.MULTILINE)
_SOFT_BREAK = re.compile(r"(?<=\S)=\n")  # of quoted-printable mail
_ESCAPED_MARK = re.compile(r"\\([!-/:-@\[-`{-~])")
_LATEX_STYLE = re.compile(r"\\(?:text|math)?(?:bf|it|rm|tt|sf|sc|emph|underline|text)\{([^{}]*)\}")
_FORMULA = re.compile(r"\$(?=\S)([^$\n]+?)(?<=\S)\$(?!\d)")  # as Pandoc tells it from sums of money
_ESCAPED_CHARACTER = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPED_BREAK = re.compile(r"\\[nrt](?![a-z])")  # not LaTeX's \nu, \rho, \times
_LABEL = re.compile(
    r"\W*(?:q|question|query|prompt|problem|exercise|task|instruction|user|human)\s*\d*\s*[:.)]\s*", re.I
)
_ANSWER = re.compile(r"\n\W*(?:a|answer|response|assistant|ai)\s*:\s*\Z", re.I)
_TAIL = 40  # characters in which a label of the answer may stand
_MISREAD = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0178\u2013-\u203a\u20ac\u2122]")
_WINDOWS_BYTES = {ord(read): byte for byte in range(0x80, 0xA0) if (read := bytes([byte]).decode("cp1252", "ignore"))}
_LEFT_OUT = dict.fromkeys((*range(0x300, 0x370), *range(0x610, 0x61B), 0x640, *range(0x64B, 0x660), 0x670))
_BLANKS = dict.fromkeys((0x115F, 0x1160, 0x2800), " ")
_HIRAGANA = {katakana: katakana - 0x60 for katakana in range(0x30A1, 0x30F7)}
_LOOK_ALIKES = dict(  # Cyrillic, Armenian and phonetic
    zip(
        map(ord, "авеѕіјкмнорстухһԁԛԝүզհոսօցɑɡıʟɴʀʏɪʜᴀʙᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢ"),
        "abesijkmhopctyxhdqwyqhnuogagilnryihabcdejkmoptuvwz",
        strict=True,
    )
)
_GREEK_LOOK_ALIKES = dict(zip(map(ord, "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγηικνορτυχω"), "ABEZHIKMNOPTYXaynikvoptuxw", strict=True))
_GREEK = re.compile("[\u0370-\u03ff]")
_LATIN = re.compile(r"[A-Za-z]")


def read_words(text: str) -> Words:
    """The words of a text as it reads, by which it is compared with the benchmark."""
    return words_of(plain(text))


def plain(text: str) -> str:
    """The text as it reads, for comparison: what is left out or replaced makes no difference to what is asked."""
    text = _without_markup(text)
    if "%20" in text:
        text = unquote(text, errors="replace")
    if not text.isascii():
        text = _without_marks(text)
    if label := _LABEL.match(text):
        text = text[label.end() :] or text
    return text[:-_TAIL] + _ANSWER.sub("", text[-_TAIL:])


def _without_markup(text: str) -> str:
    """The text without HTML, Markdown's and LaTeX's marks, and escapes."""
    if "&" in text:
        text = unescape(unescape(text))
    if "<" in text:
        text = _TAG.sub(" ", text)
    if ">" in text:
        text = _QUOTED_LINE.sub("", text)
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    if "$" in text:
        text = _FORMULA.sub(r"\1", text)
    if "\\" in text:
        text = _ESCAPED_BREAK.sub("\n", _ESCAPED_CHARACTER.sub(lambda match: chr(int(match[1], 16)), text))
        text = _LATEX_STYLE.sub(r"\1", _ESCAPED_MARK.sub(r"\1", text))
    if "=\n" in text:
        text = _SOFT_BREAK.sub("", text)
    return text.replace("~~", "")


@cache
def _format_characters() -> dict[int, None]:
    """Characters without width, for `str.translate`; they take 15 ms to find."""
    return {code: None for code in range(0x80, 0x20000) if unicodedata.category(chr(code)) == "Cf"}


def _without_marks(text: str) -> str:
    """Text without accents, vowel points and invisible characters; letters that look like Latin ones as these."""
    text = unicodedata.normalize("NFKD", _decoded(text).translate(_format_characters())).translate(_LEFT_OUT)
    text = text.translate(_BLANKS)
    if _GREEK.search(text) and _LATIN.search(text):
        latin = text.translate(_GREEK_LOOK_ALIKES)
        text = text if _GREEK.search(latin) else latin  # a letter that has no like speaks for Greek
    text = text.lower().translate(_LOOK_ALIKES)
    return unicodedata.normalize("NFC", text).translate(_HIRAGANA)


def _decoded(text: str) -> str:
    """Text that was UTF-8 and read as Latin-1 or Windows-1252, as it was."""
    if _MISREAD.search(text):
        try:
            return text.translate(_WINDOWS_BYTES).encode("latin-1").decode()
        except UnicodeError:
            pass
    return text
