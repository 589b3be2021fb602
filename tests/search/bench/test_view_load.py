"""The load of the view: every request of the benchmark is answered, on a run that is small."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.heavy


def test_every_request_of_the_benchmark_is_answered_and_a_run_that_grows_is_read_on() -> None:
    command = [sys.executable, "-m", "search.bench.view_load", "--candidates", "20", "--questions", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0]["request"] == "answers for the first time"
    assert lines[-1]["request"] == "first page after one candidate more"
    assert len(lines) == 13
    assert min(line["kB"] for line in lines) >= 1
