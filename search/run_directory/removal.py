"""Remove a run directory, and none that somebody works on."""

import shutil
from pathlib import Path

from configs.errors import InputError
from search.run_directory.locks import changing, judging_anew, working
from search.run_directory.run import require_run

_LAST = ("config.json", "lock", "rejudge.lock", "notes.lock")
"""Files that make it a run directory, and keep others from it, while the rest is removed."""


def remove_run(path: Path) -> None:
    """Remove the run at `path` with everything in it. Who wants to work on it meanwhile is told that it is gone.

    Raises:
        InputError: `path` is no run directory or a link to one, somebody works on it, or not all of it can be removed;
            it stays a run directory then, which may be removed again.
    """
    require_run(path)
    if path.is_symlink():
        raise InputError(f"{path} is a link: remove the run that it leads to, {path.resolve()}")
    try:
        with working(path), judging_anew(path), changing(path):
            for file in path.iterdir():
                if file.is_dir() and not file.is_symlink():
                    shutil.rmtree(file)
                elif file.name not in _LAST:
                    file.unlink()
            (path / "config.json").unlink()
            shutil.rmtree(path)
    except OSError as error:
        raise InputError(f"{path} cannot be removed completely ({error.strerror}): check {error.filename}") from None
