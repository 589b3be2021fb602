"""Keeps secrets out of what a service says, whole, in part or encoded, before anyone else reads it.

A service may repeat a key: in the complaint about it ("Incorrect API key provided: sk-abc***wxyz"), in a dump of the
request, in base64. Everything that comes in is searched once, at the door (`workers.service.http_client`), so that no
reader of a reply has to think of it. Comparison ignores case; what is found becomes `***`.
"""

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from json import detect_encoding, dumps, loads
from string import ascii_letters, digits

from workers.service.encoded_secrets import EncodedSecrets
from workers.service.spread_secrets import SpreadSecrets, has_any, numbers_of

SHORT = 8
"""Keys of fewer characters are words such as `none`, `EMPTY` or `test`: they are hidden in complaints, whole, and stay
in answers."""

_PIECE, _ENCODED_PIECE = 8, 12
"""Numbers of characters in a row of a key, and of an encoded one, that give it away."""
_ENDS, _ENDS_IN_ERRORS = 6, 4
"""A word of so many characters that is a key's beginning or end gives part of it away."""
_BOLD = ("*", "**", "***")
_MASKED_PIECE = 5
"""Characters of a key beside a mask that give part of it away."""

_HIDDEN = "***"
_RUN = re.compile(r"[A-Za-z0-9_\-+/=%.~:]{8,}")
_WORD = re.compile(r"[A-Za-z0-9_\-]{4,}")
_MASK = r"(?:[*•·…#]|\.{3}|x{4})"
_OF_WORDS = f"{ascii_letters}{digits}_-"
_MASKS = re.compile(r"(?:[*•·…#]|\.{3}|[xX]{4})[*•·….#xX]*")
_MASKED_PART = re.compile(r"[*•·…#][\w\-]{5}|\.{3}[\w\-]{5,}(?:\.{3}|[*•·…#])")
_JSON_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|([/bfnrt\"\\]))")
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Redactor:
    """A filter that hides some secrets.

    Args:
        secrets: keys, passwords, values of secret headers; empty ones count for nothing.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple({secret.lower() for secret in secrets if secret})
        long = [secret for secret in {*secrets} if len(secret) >= SHORT]
        self._long = tuple(secret.lower() for secret in long)
        long += [secret[::-1] for secret in long]
        encoded = [form for secret in long for form in _encodings(secret)]
        self._whole = tuple({form.lower() for secret in long for form in _spellings(secret)})
        self._pieces: dict[int, set[str]] = {
            _PIECE: {piece for secret in long for piece in _pieces(secret.lower(), _PIECE)},
            _ENCODED_PIECE: {piece for form in encoded for piece in _pieces(form.lower(), _ENCODED_PIECE)},
        }
        aligned = (piece for form in encoded for piece in [*_pieces(form.lower(), _PIECE)][::4])
        self._traces = numbers_of({*self._pieces[_PIECE], *aligned})
        self._spread, self._encoded = SpreadSecrets(long), EncodedSecrets(long)
        masked = [rf"(?<![\w\-]){re.escape(key[:3])}[\w\-]*{_MASK}" for key in self._long]
        # As long as a key at most: else a text of x alone takes time by the square of its length.
        masked += [rf"{_MASK}[\w\-]{{0,{len(key)}}}{re.escape(key[-3:])}(?![\w\-])" for key in self._long]
        self._masked = re.compile("|".join(masked) or r"(?!)")

    def body(self, body: bytes) -> bytes:
        """A reply's body without secrets: JSON stays JSON, with secrets hidden in its strings; other text is searched
        as it is. Text of another encoding comes back as UTF-8."""
        if not self._long or not body:
            return body
        if not self._may_show(body):
            return body
        try:
            text = body.decode(detect_encoding(body), "surrogatepass").removeprefix("\ufeff")
            encoding = "utf-8"
        except UnicodeDecodeError:
            text, encoding = body.decode("latin-1"), "latin-1"
        looks_like_json = text.lstrip()[:1] in ("{", "[", '"')
        clean = _JSON_STRING.sub(self._in_json, text) if looks_like_json else self._hide(text, _ENDS)
        return body if clean == text else clean.encode(encoding, "surrogatepass")

    def _may_show(self, body: bytes) -> bool:
        """Whether a closer look is worth while; most bodies show nothing, and this is several times faster."""
        if b"\0" in body:  # UTF-16 or UTF-32
            return True
        text = body.decode("utf-8", "replace")
        if "\\" in text:
            text = _ESCAPE.sub(_unescaped, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if self._encoded.hide(text, _HIDDEN) != text or _MASKED_PART.search(text):
            return True
        text = text.lower()
        if any(key[:_ENDS] in text or key[-_ENDS:] in text for key in self._long) or self._masked.search(text):
            return True
        if any(form in text for form in self._whole):
            return True
        if self._spread.may_show(text):
            return True
        return has_any(text.encode(), self._traces)

    def complaint(self, text: str) -> str:
        """The words of an error without secrets, shorter parts of them included."""
        for secret in self._secrets:
            text = re.sub(re.escape(secret), _HIDDEN, text, flags=re.IGNORECASE)
        return self._hide(text, _ENDS_IN_ERRORS)

    def words(self, text: str) -> str:
        """A model's words without secrets: parts of a reply that are harmless alone may show one when they are put
        together."""
        return self._hide(text, _ENDS) if self._long and self._may_show(text.encode("utf-8", "replace")) else text

    def shows(self, text: str) -> bool:
        """Whether a secret, or a good part of it, stands in this text."""
        return self._hide(text, _ENDS) != text

    def _in_json(self, match: re.Match[str]) -> str:
        content, colon = match[1], match[2] or ""
        try:
            plain = str(loads(f'"{content}"', strict=False))
        except ValueError:  # no JSON, though it looks like it
            plain = content
        if colon and not any(form in plain.lower() for form in self._whole):  # a field's name
            return match[0]
        clean = self._hide(plain, _ENDS)
        return match[0] if clean == plain else dumps(clean, ensure_ascii=False) + colon

    def _hide(self, text: str, ends: int) -> str:
        if not self._long:
            return text
        lowered = text.lower()
        if len(lowered) == len(text):  # some letters have no lower case of one character
            for form in self._whole:
                if form in lowered:
                    text = re.sub(re.escape(form), _HIDDEN, text, flags=re.IGNORECASE)
        text = _RUN.sub(self._without_pieces, text)
        text = self._without_masked_ends(text)
        text = self._encoded.hide(self._spread.hide(text, _HIDDEN), _HIDDEN)
        return _WORD.sub(lambda match: _HIDDEN if self._is_bare_end(match[0], ends) else match[0], text)

    def _without_pieces(self, match: re.Match[str]) -> str:
        run = match[0]
        lowered = run.lower()
        hidden = [False] * len(run)
        for length, pieces in self._pieces.items():
            for start in range(len(run) - length + 1):
                if lowered[start : start + length] in pieces:
                    hidden[start : start + length] = [True] * length
        if not any(hidden):
            return run
        shown = "".join("\0" if secret else character for character, secret in zip(run, hidden, strict=True))
        return re.sub("\0+", _HIDDEN, shown)

    def _without_masked_ends(self, text: str) -> str:
        """The text without parts of a key before or behind a mask."""
        shown, last, before = [], 0, ""
        for mask in _MASKS.finditer(text):
            shown += [self._between_masks(text[last : mask.start()], before, mask[0]), mask[0]]
            last, before = mask.end(), mask[0]
        return "".join([*shown, self._between_masks(text[last:], before, "")])

    def _between_masks(self, text: str, before: str, after: str) -> str:
        """The text without a part of a key at its ends, where there are masks."""
        begin, end = len(text) - len(text.lstrip(_OF_WORDS)), len(text.rstrip(_OF_WORDS))
        if begin == len(text):
            return _HIDDEN if self._is_masked(text, before) or self._is_masked(text, after) else text
        tail, head = text[:begin], text[end:]
        tail = _HIDDEN if self._is_masked(tail, before) else tail
        return tail + text[begin:end] + (_HIDDEN if self._is_masked(head, after) else head)

    def _is_masked(self, word: str, mask: str) -> bool:
        return bool(mask) and (self._is_end(word, 3) or self._is_part(word, mask))

    def _is_part(self, word: str, mask: str) -> bool:
        if mask in _BOLD and _is_plain(word):
            return False
        return len(word) >= _MASKED_PIECE and any(word.lower() in key for key in self._long)

    def _is_bare_end(self, word: str, ends: int) -> bool:
        """Whether a word without a mask is a key's end. In an answer a plain one is the answer's: "local" and "server"
        would vanish from every answer, and six or seven letters of it give little away."""
        return self._is_end(word, ends) and (ends < _ENDS or not _is_plain(word))

    def _is_end(self, word: str, at_least: int) -> bool:
        word = word.lower()
        return len(word) >= at_least and any(key.startswith(word) or key.endswith(word) for key in self._long)


def _is_plain(word: str) -> bool:
    """Whether it is a word of a language, of which a key may be made."""
    return word.isalpha() and (word.islower() or word.isupper() or word.istitle())


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], match[2])


def _spellings(secret: str) -> Iterator[str]:
    """The secret itself, as JSON has it and as an address has it."""
    octets = secret.encode()
    yield secret
    yield dumps(secret)[1:-1]
    yield "".join(f"%{octet:02x}" for octet in octets)
    yield "".join(c if c.isalnum() or c in "-_.~" else f"%{ord(c):02x}" for c in secret)
    yield from _encodings(secret)


def _encodings(secret: str) -> Iterator[str]:
    """The secret in hexadecimal, and in base64 at each of the three places in a longer text."""
    octets = secret.encode()
    yield octets.hex()
    for offset in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            encoded = encode(b"\0" * offset + octets).decode().rstrip("=")
            first, last = (offset * 8 + 5) // 6, (offset + len(octets)) * 8 // 6
            yield encoded[first:last]  # the characters that no neighbour has a part in


def _pieces(text: str, length: int) -> Iterator[str]:
    for start in range(len(text) - length + 1):
        yield text[start : start + length]
