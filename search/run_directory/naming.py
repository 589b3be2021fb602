"""The name of a run directory that is given none."""

from datetime import datetime
from pathlib import Path


def new_directory(config: str | Path) -> Path:
    """Name the directory of a run that is given none, by its config and the time."""
    return Path("runs") / f"{Path(config).stem}-{datetime.now():%Y%m%d-%H%M%S}"
