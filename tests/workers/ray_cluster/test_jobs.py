"""Jobs on a real Ray cluster on this machine."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from configs.schema.workers import WorkersConfig
from tests.local_ray import local_ray
from workers.failures import GenerationFailed
from workers.ray_cluster.jobs import JobLost, run_jobs

pytestmark = pytest.mark.heavy

TWO = WorkersConfig(count=2, gpus_per_worker=0, cpus_per_worker=0.5, max_attempts=2)


@pytest.fixture(scope="module", autouse=True)
def _cluster() -> Iterator[None]:
    with local_ray():
        yield


def _run(*jobs: Any, config: WorkersConfig = TWO) -> list[Any]:
    return asyncio.run(run_jobs(jobs, config))


def _meet(mine: Path, other: Path) -> bool:
    """Whether two jobs are under way at the same time: each waits for the other's sign."""
    mine.touch()
    deadline = time.monotonic() + 60
    while not other.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return other.exists()


def _count_to(number: int, file: Path, dies_at: int) -> tuple[int, int]:
    """Goes on from the number that `file` keeps, and dies once: where it began and where it ended."""
    began = at = int(file.read_text()) if file.exists() else 0
    while at < number:
        at += 1
        file.write_text(str(at))
        if at == dies_at and began < dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
    return began, at


def _always_dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raises(error: Exception) -> None:
    raise error


def test_jobs_run_beside_each_other_and_one_that_loses_its_worker_goes_on_from_what_it_has_left(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert _run(partial(_meet, first, second), partial(_meet, second, first)) == [True, True]
    lost = partial(_count_to, 5, tmp_path / "number", dies_at=3)
    assert _run(lost, partial(_count_to, 2, tmp_path / "other", dies_at=9)) == [(3, 5), (0, 2)]


def test_what_fails_concerns_its_job_alone(tmp_path: Path) -> None:
    ours, bug = GenerationFailed("does not fit"), TypeError("a bug")
    outcomes = _run(
        _always_dies, partial(_raises, ours), partial(_raises, bug), partial(_count_to, 1, tmp_path / "n", 9)
    )
    assert isinstance(outcomes[0], JobLost)
    assert "it has lost its worker 2 times (workers.max_attempts)" in str(outcomes[0])
    assert (type(outcomes[1]), str(outcomes[1])) == (GenerationFailed, "does not fit")
    assert isinstance(outcomes[2], JobLost)
    assert "TypeError: a bug" in str(outcomes[2])
    assert outcomes[3] == (0, 1)


def test_a_mistake_of_the_users_ends_them_all() -> None:
    with pytest.raises(InputError, match="no such model"):
        _run(partial(_raises, InputError("no such model")), _always_dies)
    with pytest.raises(InputError, match="fits on no node"):
        _run(_always_dies, config=TWO.model_copy(update={"gpus_per_worker": 1}))
