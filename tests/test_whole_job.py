"""What happens to all of a run's processes at once: Slurm's signals, and a Ray head that is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from search.results.status import read_status

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SEARCH = "strategy={kind: random, trials: 60, insert: back}"


def descendants(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task").glob("*/children")
    below = [int(child) for file in children for child in file.read_text().split()]
    return [*below, *(further for child in below for further in descendants(child))]


def gone(processes: list[int]) -> bool:
    """Whether all of them have ended, once they have had two minutes: Ray's agents seldom look for their raylet."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if not any(Path(f"/proc/{number}/exe").exists() for number in processes):
            return True
        time.sleep(0.2)
    return False


@contextmanager
def searching(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A search on a Ray worker that has told its strategy of some trials."""
    words = ("run", "quickstart", "--run-dir", str(path), "--set", "workers.count=1", "--set", SEARCH)
    command = [sys.executable, "-m", "search", *words]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
    journal = path / "journal.jsonl"
    try:
        while not journal.exists() or journal.read_bytes().count(b"\n") < 2:
            assert process.poll() is None
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_every_process_of_the_job_stops_the_run_cleanly_and_leaves_none_behind(
    end: signal.Signals, tmp_path: Path
) -> None:
    with searching(tmp_path / "run") as process:
        others = descendants(process.pid)
        assert len(others) > 3
        for number in (process.pid, *others):
            os.kill(number, end)
        assert process.wait(120) == 130
    status = read_status(tmp_path / "run")
    assert (status.state, status.reason) == ("stopped", "interrupted")
    assert not [number for number in others if Path(f"/proc/{number}/exe").exists()]


def test_five_interrupts_of_the_whole_process_group_end_it_at_once_and_leave_none_behind(tmp_path: Path) -> None:
    with searching(tmp_path / "run") as process:
        others = descendants(process.pid)
        for _ in range(5):  # as a terminal sends Ctrl-C
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.05)
        assert process.wait(60) == 130
    status = read_status(tmp_path / "run")
    assert (status.state, status.reason) == ("stopped", "interrupted")
    assert status.spend.generated > 0
    assert gone(others)


def test_a_killed_raylet_stops_the_run_with_a_sentence_and_leaves_none_behind(tmp_path: Path) -> None:
    with searching(tmp_path / "run") as process:
        others = descendants(process.pid)
        (raylet,) = [one for one in others if Path(f"/proc/{one}/comm").read_text().strip() == "raylet"]
        os.kill(raylet, signal.SIGKILL)
        assert process.wait(120) == 3
    status = read_status(tmp_path / "run")
    assert status.state == "stopped"
    assert "no node of the Ray cluster at" in status.reason
    assert "then go on" in status.reason
    assert gone(others)


def test_a_killed_ray_head_stops_the_run_with_a_sentence(tmp_path: Path) -> None:
    with searching(tmp_path / "run") as process:
        (head,) = [one for one in descendants(process.pid) if "gcs_server" in Path(f"/proc/{one}/comm").read_text()]
        os.kill(head, signal.SIGKILL)
        assert process.wait(120) == 3
    status = read_status(tmp_path / "run")
    assert status.state == "stopped"
    assert "the Ray head at" in status.reason
    assert "then go on" in status.reason
