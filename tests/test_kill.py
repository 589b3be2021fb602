"""SIGKILL at random moments: the resumed search is the one that was never killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

SMALL = [
    *("--set", "pool.limit=8", "--set", "strategy.trials=14", "--set", "strategy.max_demonstrations=2"),
    *("--set", "decoding.max_new_tokens=24", "--set", "window=4"),
]
LOCAL = [*SMALL, "--set", "workers.kind=local"]
KILLS = 5


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "search", *words]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"}


def finish(*words: str) -> None:
    done = subprocess.run(command(*words), capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, done.stderr


def kill_after(seconds: float, path: Path, *words: str) -> bool:
    """Start, wait until the run directory is there, then kill after so many seconds; False when it ended before."""
    process = subprocess.Popen(command(*words), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment())
    while not (path / "config.json").exists() and process.poll() is None:
        time.sleep(0.01)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def status(path: Path) -> dict[str, Any]:
    done = subprocess.run(command("status", str(path), "--json"), capture_output=True, check=True, env=environment())
    read: dict[str, Any] = json.loads(done.stdout)
    return {key: value for key, value in read.items() if key != "run"}


def killed_and_whole(folder: Path, overrides: list[str]) -> int:
    """Run a search twice, once killed at random moments; compare; how many kills there were."""
    whole, killed = folder / "whole", folder / "killed"
    began = time.monotonic()
    finish("run", "quickstart", "--run-dir", str(whole), *overrides)
    typical = time.monotonic() - began
    draw = random.Random(0)
    kills = 0
    for _ in range(KILLS):
        words = (
            ("resume", str(killed)) if killed.exists() else ("run", "quickstart", "--run-dir", str(killed), *overrides)
        )
        kills += kill_after(draw.uniform(0.1, 0.8) * typical, killed, *words)
        assert status(killed)["state"] in ("crashed", "finished")
    finish("resume", str(killed))
    assert (killed / "journal.jsonl").read_bytes() == (whole / "journal.jsonl").read_bytes()
    assert status(killed) == status(whole)
    return kills


def test_a_search_killed_at_five_moments_is_the_search_that_was_never_killed(tmp_path: Path) -> None:
    assert killed_and_whole(tmp_path, LOCAL) > 0


def test_a_search_on_ray_workers_is_the_search_without_them_killed_or_not(tmp_path: Path) -> None:
    finish("run", "quickstart", "--run-dir", str(tmp_path / "local"), *LOCAL)
    path = tmp_path / "ray"
    words = ("run", "quickstart", "--run-dir", str(path), *SMALL)
    process = subprocess.Popen(command(*words), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment())
    journal = path / "journal.jsonl"
    while process.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") < 4):
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finish("resume", str(path))
    assert journal.read_bytes() == (tmp_path / "local" / "journal.jsonl").read_bytes()
    assert status(path)["generated"] == status(tmp_path / "local")["generated"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_whole_quickstart_killed_at_five_moments_is_the_one_that_was_never_killed(tmp_path: Path) -> None:
    assert killed_and_whole(tmp_path, []) == KILLS
