"""Ends that no code of ours sees coming: a judge function that ends the process, a disk that takes no more."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from search.results.status import read_status

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SMALL = [
    *("--set", "pool.limit=8", "--set", "strategy={kind: random, trials: 2, max_demonstrations: 1}"),
    *("--set", "decoding.max_new_tokens=8", "--set", "workers.kind=local", "--set", "questions.limit=24"),
]
EXITING = """
import os
from pathlib import Path

def score(question, answers, folder=""):
    calls = Path(folder) / "calls"
    with calls.open("a") as file:
        file.write(".")
    if calls.stat().st_size == 20:
        os._exit(7)
    return float(len(answers[-1]))
"""


def demosearch(*words: str, largest_file: int = resource.RLIM_INFINITY) -> subprocess.CompletedProcess[str]:
    """The command in a process whose files grow to so many bytes at most, as on a disk that is full."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({largest_file}, {largest_file}))"
    program = f"{limit}; import sys; sys.argv[1:] = {words!r}; from search.cli.start import main; main()"
    environment = os.environ | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)


def test_a_judge_function_that_ends_the_process_costs_no_verdict_and_resume_goes_on(tmp_path: Path) -> None:
    (tmp_path / "exiting.py").write_text(EXITING)
    options = f"options: {{folder: {tmp_path}}}"
    judge = f"judge={{kind: function, function: 'exiting:score', folder: {tmp_path}, max_in_flight: 1, {options}}}"
    path = tmp_path / "run"
    assert demosearch("run", "quickstart", "--run-dir", str(path), *SMALL, "--set", judge).returncode == 7
    crashed = read_status(path)
    assert crashed.state == "crashed"
    done = demosearch("resume", str(path))
    assert done.returncode == 0, done.stderr
    finished = read_status(path)
    calls = (tmp_path / "calls").stat().st_size
    assert (finished.state, finished.spend.failed) == ("finished", 0)
    assert 0 < crashed.spend.judged < 20
    assert calls - finished.spend.judged <= 20 - crashed.spend.judged  # what was under way when the process ended


@pytest.mark.parametrize(("largest_file", "file"), [(0, ""), (600, "config.json"), (20_000, "ledger.sqlite")])
def test_a_disk_that_is_full_when_a_run_begins_is_a_sentence_and_once_there_is_space_it_can_begin(
    tmp_path: Path, largest_file: int, file: str
) -> None:
    words = ("run", "quickstart", "--run-dir", str(tmp_path / "run"), *SMALL)
    refused = demosearch(*words, largest_file=largest_file)
    assert refused.returncode in {2, 3}
    assert "Traceback" not in refused.stderr
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("demosearch: ")
    assert file in last or "File too large" in last
    done = demosearch(*words)
    assert done.returncode == 0, done.stderr
