"""`make gpu` on a machine that has PyTorch and transformers, and little else of what we need."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.documents import ROOT

pytestmark = pytest.mark.heavy

ABSENT = ("pydantic", "ray", "openai", "optuna", "starlette", "uvicorn")
PROGRAM = f"""
import sys
sys.modules.update(dict.fromkeys({ABSENT}))
import tests.workers.engines.test_gpu, workers.bench.generation
"""


def test_what_make_gpu_runs_needs_neither_ray_nor_what_reads_configs() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, check=True)


@pytest.mark.parametrize("part", ["pytest", "workers.bench.generation"])
def test_what_fails_keeps_no_measurement_back_and_is_told_in_the_end(part: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'echo "$@"\ncase "$*" in *{part}*) exit 3;; esac\n')
    python.chmod(0o755)
    python.write_text("#!/bin/sh\n" + python.read_text())
    done = subprocess.run(
        ["make", "gpu", f"PYTHON={python}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))},
    )
    checks, measurements = done.stdout.splitlines()
    assert "-m pytest" in checks
    assert "--device cuda" in measurements
    assert "--markdown" in measurements
    assert "Error 3" in done.stderr


def test_all_of_it_ends_within_ten_minutes() -> None:
    words = (ROOT / "Makefile").read_text().replace("=", " ").split()
    limits = [int(seconds) for before, seconds in pairwise(words) if before == "--kill-after"]
    limits += [int(before) for before, command in pairwise(words) if command == "$(PYTHON)" and before.isdigit()]
    assert len(limits) == 4
    assert sum(limits) < 600
