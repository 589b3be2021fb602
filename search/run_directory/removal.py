"""Remove a run directory, and none that somebody works on."""

import shutil
from pathlib import Path
from tempfile import mkdtemp

from configs.errors import InputError
from search.run_directory.locks import changing, removing, working
from search.run_directory.run import require_run


def remove_run(path: Path) -> None:
    """Remove the run at `path` with everything in it. Who wants to work on it meanwhile is told that it is gone.

    Raises:
        InputError: `path` is no run directory or a link to one, or somebody works on it; or the disk does not let it
            go, as a whole or what is left of it in the folder that the message names.
    """
    require_run(path)
    if path.is_symlink():
        raise InputError(f"{path} is a link: remove the run that it leads to, {path.resolve()}")
    aside = None
    try:
        with working(path), removing(path), changing(path):
            aside = _moved_aside(path)
        shutil.rmtree(aside)  # with no file open: over NFS those would stay
    except OSError as error:
        where = path if aside is None else f"the rest of {path}, in {aside},"
        raise InputError(f"{where} cannot be removed ({error.strerror}): check {error.filename}") from None


def _moved_aside(path: Path) -> Path:
    """Move the run to a hidden folder beside it, which is no run for `list` and `view`; return that."""
    path = path.resolve()
    aside = Path(mkdtemp(prefix=".removed-", dir=path.parent))
    try:
        path.rename(aside)
    except OSError:
        aside.rmdir()
        raise
    return aside
