"""What identifies a model's files, however large they are: a digest that is taken in a moment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

EDGE = 2**20  # bytes read at each end of a file
BLOCK, BLOCKS = 2**16, 2**12  # bytes of a block, and how many are read between the ends of the long files: 256 MiB


def digest_folder(folder: Path) -> str:
    """Hex sha256 over name, size and content of every file that is not hidden; see `_pieces`. The long ones, which a
    large model may have dozens of, share `BLOCKS`."""
    digest, paths = hashlib.sha256(), sorted(path for path in folder.rglob("*") if path.is_file())
    shown = [path for path in paths if not _is_hidden(path.relative_to(folder))]
    long = sum(path.stat().st_size - 2 * EDGE > BLOCKS * BLOCK for path in shown)
    for path in shown:
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        for piece in _pieces(path, max(1, BLOCKS // max(1, long))):
            digest.update(piece)
    return digest.hexdigest()


def digest_file(path: Path) -> str:
    """Hex sha256 over size and content of a file; see `_pieces`."""
    digest = hashlib.sha256(f"{path.stat().st_size}\0".encode())
    for piece in _pieces(path, BLOCKS):
        digest.update(piece)
    return digest.hexdigest()


def _is_hidden(name: Path) -> bool:
    return any(part.startswith((".", "__pycache__")) for part in name.parts)


def _pieces(path: Path, blocks: int) -> Iterator[bytes]:
    """What is read of a file: its ends and all between them; of a long one, this many blocks between them, evenly
    spread."""
    between = path.stat().st_size - 2 * EDGE
    stride = BLOCK if between <= BLOCKS * BLOCK else max(BLOCK, between // blocks)
    with path.open("rb") as file:
        yield file.read(EDGE)
        for at in range(0, between, stride):
            file.seek(EDGE + at)
            yield file.read(min(BLOCK, between - at))
        file.seek(max(0, EDGE + between))
        yield file.read(EDGE)
