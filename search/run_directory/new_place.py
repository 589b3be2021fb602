"""The place of a new run, looked at before anything is made there."""

import os
from errno import EACCES, ENOTDIR
from pathlib import Path

from configs.atomic_file import drafts
from configs.errors import InputError
from search.run_directory.file_formats import OWNED
from search.run_directory.files import not_writable


def refuse_unusable_directory(path: Path) -> None:
    """Raise InputError where no new run can be made in `path`. Nothing is made."""
    try:
        if path.exists():
            if not path.is_dir():
                raise InputError(f"{path} is a file: choose another --run-dir")
            if {*path.iterdir()} - {path / "lock", *drafts(path, OWNED)}:
                raise InputError(
                    f"{path} exists and is not empty: choose another --run-dir, or go on with `demosearch resume "
                    f"{path}`"
                )
        nearest = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
        if not nearest.is_dir():
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
    except OSError as error:
        raise not_writable(path, error) from error
