"""Reads the file that Weights & Biases keeps of an offline run: a LevelDB log of protocol buffers.

A file is a header of 7 bytes and blocks of 32 KiB; a block is pieces of records, each behind 4 bytes of checksum, 2 of
length and 1 that says whether it is a whole record (1), the first piece of one (2), a middle one (3) or the last (4).
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]  # made when imported

_BLOCK = 32 * 1024
_HEADER, _PIECE = 7, 7
_WHOLE, _LAST = 1, 4


def records(path: Path) -> Iterator[Any]:
    """Every `Record` of the file at `path`."""
    content, place, pieces = path.read_bytes(), _HEADER, b""
    assert content.startswith(b":W&B")
    while place + _PIECE <= len(content):
        left = _BLOCK - place % _BLOCK
        if left < _PIECE:
            place += left
            continue
        length, kind = struct.unpack_from("<HB", content, place + 4)
        pieces += content[place + _PIECE : place + _PIECE + length]
        place += _PIECE + length
        if kind in (_WHOLE, _LAST):
            yield Record.FromString(pieces)
            pieces = b""
