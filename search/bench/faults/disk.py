"""What a power cut leaves of files: of what was not synchronised, any part may be lost, torn or have come first."""

import random
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, bytes]
"""Contents by name."""

_SECTOR = 512
_WAL_HEADER = 32
_LEFT_BEHIND = ("-shm", ".opening")  # made anew by whoever opens the ledger


def read_files(folder: Path) -> dict[str, bytes]:
    """Every file of the folder that matters after a crash; none where a run that did not begin has removed it."""
    if not folder.exists():
        return {}
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith(_LEFT_BEHIND)}


def write_files(folder: Path, files: Files) -> None:
    """Make a folder of these files."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def same_bytes(first: bytes, second: bytes) -> int:
    """How many bytes both begin with."""
    pairs = zip(first, second, strict=False)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), min(len(first), len(second)))


def left_of_append(before: bytes, after: bytes, draw: random.Random) -> bytes:
    """A file that is written and was not synchronised since `before`; where something was cut off, it was synchronised
    behind that."""
    if not after.startswith(before):
        if draw.random() < 0.3:
            return before
        before = before[: same_bytes(before, after)]
    kind = draw.choice(("old", "cut", "sectors", "new"))
    if kind == "old":
        return before
    if kind == "new":
        return after
    if kind == "cut":
        return after[: draw.randint(min(len(before), len(after)), max(len(before), len(after)))]
    return _some_sectors(before, after, draw)


def _some_sectors(before: bytes, after: bytes, draw: random.Random) -> bytes:
    """Each sector as it was or as it is; one that never came is zero."""
    old = before.ljust(len(after), b"\0")
    kept = bytearray()
    for start in range(0, len(after), _SECTOR):
        stop = start + _SECTOR
        kept += (after if draw.random() < 0.5 else old)[start:stop]
    return bytes(kept[: len(after)])


def left_of_commit(name: str, before: Files, after: Files, draw: random.Random) -> dict[str, bytes]:
    """A folder in which SQLite was committing to the database `name`, in write-ahead mode, and whoever did it was then
    noting this in other files that are replaced as a whole.

    SQLite synchronises the log before it copies it into the database, and the database before it begins the log anew.
    """
    log = f"{name}-wal"
    left = dict(before)
    if draw.random() < 0.7 and before.get(log) != after.get(log):
        left[log] = _left_of_log(before.get(log, b""), after.get(log, b""), draw)
        return left
    left[log] = after.get(log, b"")
    if before[name] != after[name]:
        left[name] = _left_in_place(before[name], after[name], draw)
        if left[name] != after[name]:
            return left
    for other in [file for file in after.keys() - {name, log} if before.get(file) != after[file]]:
        kept = draw.choice((before.get(other), after[other], b""))  # replaced, and not synchronised
        if kept is not None:
            left[other] = kept
    return left


def _left_of_log(before: bytes, after: bytes, draw: random.Random) -> bytes:
    if before[:_WAL_HEADER] == after[:_WAL_HEADER]:
        return _left_in_place(before, after, draw)
    if draw.random() < 0.3:
        return before
    rest = _left_in_place(before[_WAL_HEADER:], after[_WAL_HEADER:], draw)
    return after[:_WAL_HEADER] + rest


def _left_in_place(before: bytes, after: bytes, draw: random.Random) -> bytes:
    """A file that is written in any place of it."""
    return draw.choice((before, after, _some_sectors(before, after, draw)))
