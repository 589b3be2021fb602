"""An array in the run directory: a strategy that is replayed must meet the same numbers to the last bit."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def read_array(path: Path) -> Floats | None:
    """None where nothing has been kept."""
    if not path.exists():
        return None
    array: Floats = np.load(path, allow_pickle=False)
    return array


def keep_array(path: Path, array: Floats) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    with half.open("wb") as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
