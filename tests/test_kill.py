"""SIGKILL at random moments: the resumed search is the one that was never killed."""

import json
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from configs.loading import override_config
from evaluators.failures import BudgetSpent
from search.results.status import read_status
from search.run_directory.run import read_config
from search.running.launch import resume
from tests.command_line import demosearch, start

pytestmark = pytest.mark.heavy

SMALL = [
    *("--set", "strategy={kind: optuna, trials: 14, max_demonstrations: 2, insert: back, block: 16}"),
    *("--set", "pool.limit=8", "--set", "decoding.max_new_tokens=24", "--set", "window=4"),
]
LOCAL = [*SMALL, "--set", "workers.kind=local"]
KILLS = 5
MEASURED = ("run", "seconds", "gpu_seconds", "tokens_per_pass", "drafts_accepted")
"""What processes measure, or are called: a new one has other earlier answers at hand to draft from."""


def finish(*words: str) -> None:
    done = demosearch(*words)
    assert done.returncode == 0, done.stderr


def kill_when(lines: int, path: Path, *words: str) -> None:
    """Start, wait until the journal has so many lines (0: until there is a run directory), wait a little, kill."""
    process = start(*words)
    journal = path / "journal.jsonl"
    while not (path / "config.json").exists() or (lines > 0 and journal_lines(journal) < lines):
        assert process.poll() is None
        time.sleep(0.005)
    time.sleep(random.Random(lines).uniform(0, 0.3))
    assert process.poll() is None
    process.kill()
    assert process.wait() == -signal.SIGKILL


def journal_lines(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def status(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(demosearch("status", str(path), "--json").stdout)
    return {key: value for key, value in read.items() if key not in MEASURED}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small search in this machine's own process, never killed."""
    return run_whole(tmp_path_factory.mktemp("never killed") / "whole", LOCAL)


def run_whole(path: Path, overrides: list[str]) -> Path:
    finish("run", "quickstart", "--run-dir", str(path), *overrides)
    return path


def kill_five_times(killed: Path, whole: Path, overrides: list[str]) -> None:
    """Run a search again, killed at five random moments, and compare what it leaves."""
    moments = random.Random(0).sample(range(journal_lines(whole / "journal.jsonl") - 2), KILLS - 1)
    for lines in (0, *sorted(moments)):
        words = (
            ("resume", str(killed)) if killed.exists() else ("run", "quickstart", "--run-dir", str(killed), *overrides)
        )
        kill_when(lines, killed, *words)
        assert read_status(killed).state == "crashed"
    finish("resume", str(killed))
    assert (killed / "journal.jsonl").read_bytes() == (whole / "journal.jsonl").read_bytes()
    assert status(killed) == status(whole)


def test_a_search_killed_at_five_moments_is_the_search_that_was_never_killed(whole: Path, tmp_path: Path) -> None:
    kill_five_times(tmp_path / "killed", whole, LOCAL)


def test_a_search_on_ray_workers_is_the_search_without_them_killed_or_not(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "ray"
    words = ("run", "quickstart", "--run-dir", str(path), *SMALL)
    kill_when(4, path, *words)
    finish("resume", str(path))
    assert (path / "journal.jsonl").read_bytes() == (whole / "journal.jsonl").read_bytes()
    assert status(path)["generated"] == status(whole)["generated"]


def test_what_a_killed_search_has_spent_counts_against_its_budget(tmp_path: Path) -> None:
    path = tmp_path / "killed"
    kill_when(2, path, "run", "quickstart", "--run-dir", str(path), *LOCAL)
    spent = read_status(path).spend
    assert spent.generated > 0
    assert spent.seconds > 0
    with pytest.raises(BudgetSpent, match="generations is spent"):
        resume(path, config=override_config(read_config(path), [f"budget.generations={spent.generated}"]))
    assert read_status(path).spend == spent


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_whole_quickstart_killed_at_five_moments_is_the_one_that_was_never_killed(tmp_path: Path) -> None:
    kill_five_times(tmp_path / "killed", run_whole(tmp_path / "whole", []), [])
