"""Third-party data for development, which is not part of this repository."""

from os import environ
from pathlib import Path

import pytest

FOLDER = Path(environ.get("DEMOSEARCH_SHARED", Path(__file__).parents[2] / "shared")) / "data"


def shared(name: str) -> Path:
    """A file or folder of it; skips the test, aloud, where it is not there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"{path} is not here; name its folder with DEMOSEARCH_SHARED to test on the real data")
    return path
