"""Replace a file as a whole: whoever reads it, and a machine that dies meanwhile, finds the old content or the new."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from configs.errors import RunStopped


def write_whole(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Replace the file at `path`; its folder is made where there is none.

    Args:
        content: text is written as UTF-8.
        durable: return when it is on the disk.

    Raises:
        RunStopped: the disk is full, or takes no writes; the old content is still there.
    """
    with replacing(path, durable=durable) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Replace the file at `path` by the one that is made meanwhile at the path given, which is gone afterwards; the old
    one stays where that fails. The rest is as in `write_whole`.

    Raises:
        RunStopped: as in `write_whole`.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        if durable:
            _make_durable(draft)
        draft.replace(path)
        if durable:
            _make_durable(path.parent)
    except OSError as error:
        raise RunStopped(f"{path} cannot be written ({error.strerror or error}): {_REMEDY}") from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def drafts(folder: Path, names: Iterable[str]) -> list[Path]:
    """What writers of these files, which were killed or still write, have left in their folder."""
    return [file for name in names for file in folder.glob(f".{name}.*") if file.suffix[1:].isdigit()]


def remove_drafts(folder: Path, names: Iterable[str]) -> None:
    """Remove them; nobody else must be writing these files."""
    for draft in drafts(folder, names):
        draft.unlink(missing_ok=True)


_REMEDY = "free some disk space, or move the run to a disk that takes writes, then go on"


def _make_durable(path: Path) -> None:
    """A file's content, or which files stand in a folder."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
