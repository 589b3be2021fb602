"""A run, watched from another process."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from configs.errors import InputError
from configs.loading import load_config, load_evaluation
from configs.schema.evaluation import EvaluationConfig
from configs.schema.run import RunConfig
from search.cli.next_step import after_search
from search.cli.watch import watch
from search.live.live_file import LiveFile
from search.results.status import read_status
from search.run_directory.run import Run
from search.running.coordinator import BasePromptRefused
from search.running.launch import conduct
from tests import command_line
from tests.search.live.snapshots import snapshot

SEARCH, EVALUATION = load_config("quickstart"), load_evaluation("evaluate_quickstart", [], {})
SMALL = [
    *("--set", "workers.kind=local", "--set", "pool.limit=3", "--set", "window=4"),
    *("--set", "decoding.max_new_tokens=8"),
    *("--set", "strategy={kind: optuna, trials: 3, max_demonstrations: 1, insert: back, block: 32}"),
]
COMMAND = "from search.cli.start import main; main()"

pytestmark = pytest.mark.heavy
CONFIGS = pytest.mark.parametrize("config", [SEARCH, EVALUATION], ids=["search", "evaluation"])


def start(*words: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1", "COLUMNS": "150"}
    command = [sys.executable, "-c", COMMAND, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def watched(path: Path, once: bool = False) -> str:
    console = Console(file=StringIO(), width=150)
    watch(path, console, once, pause=0.05)
    assert isinstance(console.file, StringIO)
    return " ".join(console.file.getvalue().split())


def test_a_search_in_another_process_is_followed_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "run"
    search = command_line.start("run", "quickstart", "--run-dir", str(path), *SMALL)
    while not (path / "config.json").exists():
        assert search.poll() is None
        time.sleep(0.01)
    text = watched(path)
    assert search.wait() == 0
    assert "evaluations" in text
    assert "worker busy, " in text
    assert "state finished" in text
    assert not (path / "live.json").exists()


@CONFIGS
def test_ctrl_c_ends_the_watching_and_not_the_run(config: RunConfig | EvaluationConfig, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", config)
    with start("watch", str(run.path)) as watching:
        assert watching.stdout is not None
        assert "Starting: loading the model" in watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        output = watching.communicate()
        assert watching.returncode == 0, output
    run.set_state("finished")
    run.close()


@CONFIGS
def test_one_frame_of_a_run_that_is_under_way(config: RunConfig | EvaluationConfig, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", config)
    assert "Starting: loading the model" in watched(run.path, once=True)
    with LiveFile(run.path) as live:
        live.show(snapshot())
        text = watched(run.path, once=True)
        assert "3,120 of 9,600 evaluations, 32 %; ETA 12 min (9-17)" in text
        assert "Last seen" not in text
    with LiveFile(run.path) as live:
        live.show(replace(snapshot(), moment=time.time() - 100))
        assert "Last seen 1.7 min ago: the coordinator does not answer" in watched(run.path, once=True)
    run.close()


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize(
    ("config", "way_on"),
    [(SEARCH, "`demosearch resume {path}`"), (EVALUATION, "the same `demosearch evaluate` with `--run-dir {path}`")],
    ids=["search", "evaluation"],
)
def test_of_a_run_that_has_crashed_it_says_when_it_was_last_seen_and_how_to_go_on(
    config: RunConfig | EvaluationConfig, way_on: str, once: bool, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    Run.create(path, config).close()
    LiveFile(path).show(snapshot())
    for file in path.iterdir():
        os.utime(file, times=(time.time() - 300, time.time() - 180))
    text = watched(path, once)
    assert f"No process is working on this run (last sign 3 min ago); continue with {way_on.format(path=path)}." in text
    assert "3,120" not in text


def test_a_run_that_was_killed_in_its_first_moment_has_been_seen(tmp_path: Path) -> None:
    Run.create(tmp_path / "run", SEARCH).close()
    (tmp_path / "run" / "state.json").unlink()
    assert "No process is working on this run (last sign" in watched(tmp_path / "run")


def test_a_run_that_was_stopped_says_why(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", SEARCH)
    run.set_state("stopped", "the budget of 20 dollars is spent")
    run.close()
    text = watched(run.path)
    assert "stopped; `demosearch resume` goes on" in text
    assert "the budget of 20 dollars is spent" in text
    assert "No process is working on this run" not in text


def test_a_search_whose_base_prompt_is_refused_is_never_said_to_go_on(tmp_path: Path) -> None:
    async def refused() -> None:
        raise BasePromptRefused("too long: start a new run")

    run = Run.create(tmp_path / "run", SEARCH)
    with pytest.raises(BasePromptRefused):
        conduct(run, refused)
    text, status = watched(run.path), read_status(run.path)
    assert "stopped for good" in text
    assert "too long: start a new run" in text
    assert "resume" not in text
    assert (status.state, status.may_go_on, after_search(status, run.path)) == ("stopped", False, [])


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a run directory"):
        watched(tmp_path)
