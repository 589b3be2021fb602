"""MT-Bench's real files, where this machine has them."""

import json
from os import environ
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(environ.get("DEMOSEARCH_SHARED", Path(__file__).parents[3] / "shared"))


def mt_bench_file(name: str) -> Path:
    """Skips the test, aloud, where the file is not there."""
    path = SHARED / "data" / "mt_bench" / name
    if not path.is_file():
        pytest.skip(f"{path} is not here; name the folder with DEMOSEARCH_SHARED to compare with the real judgments")
    return path


def mt_bench_rows(name: str) -> list[dict[str, Any]]:
    with mt_bench_file(name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
