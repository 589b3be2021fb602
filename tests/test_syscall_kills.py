"""SIGKILL at system calls that touch the run directory, before they are done or after: nothing durable is asked again.

`strace` injects the kills; where it is missing, or may not trace, these tests are skipped with the reason.
"""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console

from search.results.status import read_status
from search.running.launch import resume
from tests.service_server import ServiceServer

pytestmark = pytest.mark.heavy

CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "mkdir", "flock")
FILES = (
    *("config.json", "manifest.json", "material.json", "state.json", "tally.json", "live.json", "journal.jsonl"),
    *("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite-journal", "ledger.sqlite.opening"),
    *(".ledger.sqlite.draft", ".ledger.sqlite.draft-wal", ".ledger.sqlite.draft-journal", "lock"),
)
WRITTEN_WHOLE = ("config.json", "manifest.json", "material.json", "state.json", "tally.json", "live.json")
QUIET = Console(quiet=True)


def cannot_trace() -> str:
    """Why strace cannot be used here; "" where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed: apt-get install strace"
    tried = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return f"strace may not trace here: {tried.stderr.strip()}" if tried.returncode else ""


def words(path: Path, server: ServiceServer, folder: Path) -> list[str]:
    """A small search whose model and judge are services: no model is loaded."""
    rubric = folder / "rubric.txt"
    rubric.write_text("Rate from 1 to 10.\n{question}\n{answer}\n")
    service = f"base_url: {server.base_url}, api_key_variable: null, max_in_flight: 4"
    overrides = (
        *("workers.kind=local", "pool.limit=3", "questions.limit=24", "decoding.max_new_tokens=16", "window=3"),
        "strategy={kind: random, trials: 3, max_demonstrations: 1, insert: back}",
        f"model={{engine: served, server: openai, context_tokens: 4096, service: {{model: gen, {service}}}}}",
        *(
            "model.warm_prefix=false",
            f"judge={{kind: rubric, rubric_path: {rubric}, service: {{model: judge, {service}}}}}",
        ),
    )
    return [
        "run",
        "quickstart",
        "--run-dir",
        str(path),
        *(part for knob in overrides for part in ("--set", knob)),
    ]


def traced(
    path: Path, command: list[str], log: Path, inject: str = "", *, only: str = "", errors: Path = Path(os.devnull)
) -> int:
    """Run a command of demosearch under strace; its exit code, negative for the signal that ended it.

    Args:
        inject: a fault, in strace's own words.
        only: calls that touch this file of the run directory, or a draft of it; "" for all of them.
        errors: where its stderr goes.
    """
    held = ["sh", "-c", 'kill -STOP $$; exec "$0" "$@"', sys.executable, "-m", "search", *command]
    environment = os.environ | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"}
    with errors.open("wb") as stderr:
        process = subprocess.Popen(held, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)
    os.waitpid(process.pid, os.WUNTRACED)
    names = (only,) if only else FILES
    drafts = [f".{name}.{process.pid}" for name in (names if only else WRITTEN_WHOLE)]
    folder = () if only else ("-P", str(path))
    watched = [*folder, *(part for name in (*names, *drafts) for part in ("-P", str(path / name)))]
    calls = ",".join(CALLS)
    fault = ["-e", f"inject={inject}"] if inject else []
    options = ["-f", "-qq", "-o", str(log), "-e", f"trace={calls}", *fault, *watched]
    tracer = subprocess.Popen(["strace", *options, "-p", str(process.pid)], stderr=subprocess.DEVNULL)
    while re.search(r"^TracerPid:\t0$", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE):
        assert tracer.poll() is None
    os.kill(process.pid, signal.SIGCONT)
    code = process.wait()
    tracer.wait()
    return code


def durable_rows(path: Path, folder: Path) -> int:
    """Answers and verdicts in the ledger, looked up in a copy: looking repairs."""
    copy = Path(shutil.copytree(path, folder, ignore=shutil.ignore_patterns("*-shm", "*.opening")))
    if not (copy / "ledger.sqlite").exists():
        return 0
    with closing(sqlite3.connect(copy / "ledger.sqlite")) as ledger:
        query = "SELECT (SELECT count(*) FROM generations) + (SELECT count(*) FROM verdicts)"
        return int(ledger.execute(query).fetchone()[0])


class Campaign:
    """A search left alone, and how often it makes each system call; then the same search killed."""

    def __init__(self, folder: Path, server: ServiceServer) -> None:
        self._folder, self._server = folder, server
        self._number = 0
        whole, log = folder / "whole", folder / "whole.log"
        assert traced(whole, words(whole, server, folder), log) == 0
        self.journal = (whole / "journal.jsonl").read_bytes()
        self.rows = len(server.requests)
        assert self.rows == durable_rows(whole, folder / "whole copy")
        made = Counter(re.findall(r"^\d+ +(\w+)\(", log.read_text(errors="replace"), re.MULTILINE))
        self.calls = {call: made[call] for call in CALLS if made[call]}

    def kill(self, call: str, number: int, *, is_done: bool) -> int:
        """Kill a new run at this call, from 1, and go on with it to the end. How many rows were durable.

        Args:
            is_done: the call is made first; else it is not.
        """
        self._number += 1
        path, log = self._folder / f"run {self._number}", self._folder / "killed.log"
        command = words(path, self._server, self._folder)
        inject = f"{call}:{'' if is_done else 'error=EIO:'}signal=KILL:when={number}"
        code = traced(path, command, log, inject)
        assert code in (-signal.SIGKILL, 0), inject  # 0: this time it made fewer such calls
        has_begun = (path / "config.json").exists()
        durable = durable_rows(path, self._folder / f"copy {self._number}") if has_begun else 0
        before = len(self._server.requests)
        if has_begun:
            resume(path, QUIET)
        else:
            assert traced(path, command, log) == 0, f"{inject}: {[file.name for file in path.iterdir()]}"
        asked = len(self._server.requests) - before
        assert (path / "journal.jsonl").read_bytes() == self.journal, inject
        assert asked == self.rows - durable, f"{inject}: {durable} of {self.rows} rows were durable, {asked} asked for"
        assert read_status(path).state == "finished"
        shutil.rmtree(path)
        return durable


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    if reason := cannot_trace():
        pytest.skip(reason)
    with ServiceServer() as server:
        yield Campaign(tmp_path_factory.mktemp("kills"), server)


def test_a_run_killed_before_its_first_file_has_its_name_begins_in_the_same_directory(campaign: Campaign) -> None:
    campaign.kill("rename", 1, is_done=False)


@pytest.mark.slow
@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("call", CALLS)
def test_a_run_killed_at_any_system_call_is_the_run_that_was_left_alone(
    campaign: Campaign, call: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`DEMOSEARCH_KILLS=2/6` is the second of six parts: the 2nd, 8th, 14th call of each kind...; 1/12 if unset."""
    part, parts = map(int, os.environ.get("DEMOSEARCH_KILLS", "1/12").split("/"))
    numbers = range(part, campaign.calls.get(call, 0) + 1, parts)
    fallen: list[str] = []
    for place, number in enumerate(numbers):
        try:
            durable = campaign.kill(call, number, is_done=place % 2 == 0)
            outcome = f"{durable} of {campaign.rows} rows were durable"
        except AssertionError as error:
            fallen.append(outcome := f"{call} {number}: {error}")
        with capsys.disabled():
            print(f"\n{call}: {place + 1} of {len(numbers)} kills, call {number}: {outcome}", end="", flush=True)
    assert not fallen
