"""An array in the run directory: a strategy that is replayed must meet the same numbers to the last bit."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """All of it or nothing, also when the machine dies meanwhile."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
