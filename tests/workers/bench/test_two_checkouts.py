"""Two checkouts are compared by what they say and by what it costs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.heavy, pytest.mark.slow]  # two processes load torch and answer 64 prompts each

HERE = Path(__file__).parents[3]


def test_a_checkout_says_what_it_says_itself() -> None:
    command = [
        sys.executable,
        "-m",
        "workers.bench.two_checkouts",
        str(HERE),
        str(HERE),
        "--trials",
        "2",
        "--repeats",
        "1",
    ]
    said = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split(":")[0] for line in said[:3]] == ["old", "new", "old / new"]
    assert said[3:] == ["0 of 64 answers differ"]
