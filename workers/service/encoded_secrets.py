"""Finds secrets in what is encoded or compressed: in base64, hexadecimal, gzip, zip and the like, one in another.

Runs of characters that may be such an encoding are decoded and unpacked, `_DEPTH` times at most; where eight characters
of a secret in a row come out, the run gives it away.
"""

import base64
import binascii
import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from workers.service.spread_secrets import has_any, numbers_of

_PIECE = 8
_DEPTH = 4  # a dump of requests, zipped, in base64, in a dump
_MOST_RUNS = 2_000  # of a reply
_MOST_BYTES = 2**20  # of what is unpacked
_LINE = r"(?:(?:\\[rn]|[\r\n])+[A-Za-z0-9+/_\-]{4,})*={0,6}"
_RUN = re.compile(rf"[A-Za-z0-9+/_\-]{{16,}}{_LINE}")
_DENSE_RUN = re.compile(r"[!-~`]{20,}")
_PACKED = re.compile(rb"\x1f\x8b\x08|PK\x03\x04|BZh[1-9]1AY|\xfd7zXZ|x[\x01\x5e\x9c\xda]|\]\0\0[\0-\xff]{2}")
_SPELLED = re.compile(rb"(?:\\x[0-9a-fA-F]{2}|\\[0-7]{3})")
_FAILURES = (ValueError, EOFError, OSError, zlib.error, lzma.LZMAError, BadZipFile, NotImplementedError, RuntimeError)


class EncodedSecrets:
    """A search for secrets in what is encoded or compressed.

    Args:
        secrets: of eight characters or more.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        lowered = [secret.lower() for secret in secrets]
        self._pieces = numbers_of(
            secret[at : at + _PIECE] for secret in lowered for at in range(len(secret) - _PIECE + 1)
        )

    def hide(self, text: str, mark: str) -> str:
        """The text with a mark in the place of each such run."""
        if not len(self._pieces):
            return text
        runs = sorted({run.span() for pattern in (_RUN, _DENSE_RUN) for run in pattern.finditer(text)})[:_MOST_RUNS]
        shown, last = [], 0
        for begin, end in runs:
            if begin >= last and any(self._shows(inner, _DEPTH - 1) for inner in _decoded(text[begin:end].encode())):
                shown += [text[last:begin], mark]
                last = end
        text = "".join([*shown, text[last:]])
        octets = text.encode("latin-1", "replace")  # a character a byte, so that places stay
        packed, spelled = _PACKED.search(octets), [*_SPELLED.finditer(octets)]
        if packed and self._shows(octets[packed.start() :], _DEPTH):
            return text[: packed.start()] + mark
        if spelled and self._shows(octets[spelled[0].start() : spelled[-1].end()], _DEPTH):
            return text[: spelled[0].start()] + mark + text[spelled[-1].end() :]
        return text

    def _shows(self, octets: bytes, depth: int) -> bool:
        if self._has_piece(octets):
            return True
        return depth > 0 and any(self._shows(inner, depth - 1) for inner in _inner(octets))

    def _has_piece(self, octets: bytes) -> bool:
        plain = octets.replace(b"\0", b"").lower()  # UTF-16
        return has_any(plain, self._pieces) or has_any(plain[::-1], self._pieces)


def _inner(octets: bytes) -> Iterator[bytes]:
    """What is packed or encoded in it."""
    yield from _unpacked(octets, raw=True)
    for start in [packed.start() for packed in _PACKED.finditer(octets)][:4]:
        if start:
            yield from _unpacked(octets[start:])
    text = octets.decode("ascii", "ignore")
    if len(text) < len(octets):
        return
    if _SPELLED.search(octets):
        with suppress(*_FAILURES):
            yield octets.decode("unicode_escape").encode("latin-1", "ignore")
    for pattern in (_RUN, _DENSE_RUN):
        for run in pattern.findall(text)[:_MOST_RUNS]:
            yield from _decoded(run.encode())


def _decoded(run: bytes) -> Iterator[bytes]:
    """What the run says in each of the encodings that it may be in."""
    bare = re.sub(rb"\\[rn]|\s|=", b"", run)
    standard = bare.replace(b"-", b"+").replace(b"_", b"/")
    whole = standard[: len(standard) - (len(standard) % 4 == 1)]
    forms: Sequence[Callable[[], bytes]] = (
        lambda: base64.b64decode(whole + b"=" * (-len(whole) % 4), validate=True),
        lambda: bytes.fromhex(bare[: len(bare) // 2 * 2].decode()),
        lambda: base64.b32decode(bare.upper() + b"=" * (-len(bare) % 8)),
        lambda: base64.b85decode(run),
        lambda: base64.a85decode(run.removeprefix(b"<~").removesuffix(b"~>")),
        lambda: binascii.a2b_uu(run),
    )
    for form in forms:
        with suppress(*_FAILURES):
            yield form()


def _unpacked(octets: bytes, raw: bool = False) -> Iterator[bytes]:
    """What the bytes were before they were compressed, as far as they go.

    Args:
        raw: also try deflate without a head, which nothing tells from other bytes.
    """
    if octets.startswith(b"PK\x03\x04"):
        with suppress(*_FAILURES), ZipFile(BytesIO(octets)) as archive:
            for name in archive.namelist()[:_DEPTH]:
                with archive.open(name) as file:
                    yield name.encode() + b"\n" + file.read(_MOST_BYTES)
        return
    readers: list[Callable[[], bytes]] = []
    if octets.startswith((b"\x1f\x8b", b"x")):
        readers.append(lambda: zlib.decompressobj(47).decompress(octets, _MOST_BYTES))
    if octets.startswith(b"BZh"):
        readers.append(lambda: bz2.BZ2Decompressor().decompress(octets, _MOST_BYTES))
    if octets.startswith((b"\xfd7zXZ", b"]\0\0")):
        readers.append(lambda: lzma.LZMADecompressor().decompress(octets, _MOST_BYTES))
    if raw and not readers:
        readers.append(lambda: zlib.decompressobj(-15).decompress(octets, _MOST_BYTES))
    for read in readers:
        with suppress(*_FAILURES):
            yield read()
