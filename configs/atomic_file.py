"""Replace a file as a whole: whoever reads it, and a machine that dies meanwhile, finds the old content or the new."""

import os
from contextlib import suppress
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
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        draft.replace(path)
        if durable:
            _keep_entry(path.parent)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise RunStopped(f"{path} cannot be written ({error.strerror or error}): {_REMEDY}") from error


_REMEDY = "free some disk space, or move the run to a disk that takes writes, then resume"


def _keep_entry(folder: Path) -> None:
    """Make durable that the file stands in its folder."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
