"""SIGKILL at system calls that touch the run directory, before they are done or after: nothing durable is asked again.

`strace` injects the kills; where it is missing, or may not trace, these tests are skipped with the reason.
"""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.console import Console

from search.results.status import read_status
from search.running.event_loop import SIGNALS, WARNINGS
from search.running.launch import resume
from tests.command_line import Command
from tests.service_server import ServiceServer

pytestmark = pytest.mark.heavy

CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "mkdir", "flock")
FILES = (
    *("config.json", "manifest.json", "material.json", "state.json", "tally.json", "live.json", "journal.jsonl"),
    *("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite-journal", "ledger.sqlite.opening"),
    *("lock", "."),  # the directory itself
)
UNHEARD = signal.SIGVTALRM
"""It ends a process, and no run listens to it."""
QUIET = Console(quiet=True)
_MOMENT = 0.005  # seconds


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
    with errors.open("wb") as said, Path(os.devnull).open("wb") as nobody:
        process = Command(tuple(command), {}, nobody.fileno(), said.fileno(), is_held=True)
    while "\nState:\tT" not in _status(process):
        time.sleep(_MOMENT)
    names = (only,) if only else FILES
    drafts = [_draft_of(name, process.pid) for name in names]
    watched = [part for name in (*names, *drafts) for part in ("-P", str(path / name))]
    calls = ",".join(CALLS)
    fault = ["-e", f"inject={inject}"] if inject else []
    options = ["-f", "-qq", "-y", "-o", str(log), "-e", f"trace={calls}", *fault, *watched]
    tracer = subprocess.Popen(["strace", *options, "-p", str(process.pid)], stderr=subprocess.DEVNULL)
    while "\nTracerPid:\t0\n" in _status(process):
        assert tracer.poll() is None
        time.sleep(_MOMENT)
    os.kill(process.pid, signal.SIGCONT)
    code = process.wait()
    tracer.wait()
    return code


def _draft_of(name: str, process: int) -> str:
    """What a process calls a file until it is whole, and SQLite its companions meanwhile."""
    whole, dash, companion = name.partition("-")
    return f".{whole}.{process}{dash}{companion}"


def _status(process: Command) -> str:
    return Path(f"/proc/{process.pid}/status").read_text()


def durable_rows(path: Path, folder: Path) -> int:
    """Answers and verdicts in the ledger, looked up in a copy: looking repairs."""
    copy = Path(shutil.copytree(path, folder, ignore=shutil.ignore_patterns("*-shm", "*.opening")))
    if not (copy / "ledger.sqlite").exists():
        return 0
    with closing(sqlite3.connect(copy / "ledger.sqlite")) as ledger:
        query = "SELECT (SELECT count(*) FROM generations) + (SELECT count(*) FROM verdicts)"
        return int(ledger.execute(query).fetchone()[0])


class Place(NamedTuple):
    """A system call: the `number`th, from 1, that some thread makes on a file of the run directory or a draft of it."""

    call: str
    file: str
    number: int


class Campaign:
    """A search left alone, and which system calls it makes; then the same search killed.

    Attributes:
        places: where it can be killed. strace counts by thread, so where several make the same call on the same file,
            the first one to make its nth is killed.
    """

    def __init__(self, folder: Path, server: ServiceServer) -> None:
        self._folder, self._server = folder, server
        self._number = 0
        whole, log = folder / "whole", folder / "whole.log"
        assert traced(whole, words(whole, server, folder), log) == 0
        self.journal = (whole / "journal.jsonl").read_bytes()
        self.rows = len(server.requests)
        assert self.rows == durable_rows(whole, folder / "whole copy")
        most: dict[tuple[str, str], int] = {}
        for (_, call, file), count in Counter(_calls(log.read_text(errors="replace"), whole)).items():
            most[call, file] = max(count, most.get((call, file), 0))
        self.places = [Place(*of, number) for of, count in most.items() for number in range(1, count + 1)]

    def kill(self, place: Place, *, is_done: bool) -> str:
        """Kill a new run at this call, and go on with it to the end. What was durable, in a few words.

        Args:
            is_done: the call is made first. Who is sent SIGKILL at the entry of a call does not make it any more; of a
                signal that nobody hears he dies when it returns.
        """
        self._number += 1
        path, log = self._folder / f"run {self._number}", self._folder / "killed.log"
        command = words(path, self._server, self._folder)
        end = UNHEARD if is_done else signal.SIGKILL
        code = traced(path, command, log, f"{place.call}:signal={end.name}:when={place.number}", only=place.file)
        assert code in (-end, 0), place
        has_begun = (path / "config.json").exists()
        durable = durable_rows(path, self._folder / f"copy {self._number}") if has_begun else 0
        before = len(self._server.requests)
        if has_begun:
            resume(path, QUIET)
        else:
            assert traced(path, command, log) == 0, f"{place}: {[file.name for file in path.iterdir()]}"
        asked = len(self._server.requests) - before
        assert (path / "journal.jsonl").read_bytes() == self.journal, place
        assert asked == self.rows - durable, f"{place}: {durable} of {self.rows} rows were durable, {asked} asked for"
        assert read_status(path).state == "finished"
        shutil.rmtree(path)
        return f"{durable} of {self.rows} rows were durable{'' if code else ': it made fewer such calls, and ended'}"


def _calls(log: str, path: Path) -> Iterator[tuple[str, str, str]]:
    """Thread, name and file of every call that strace tells of."""
    touched = re.compile(rf"{re.escape(str(path))}(?:/([^/\">]*))?[\">]")
    for thread, call, rest in re.findall(r"^(\d+) +(\w+)\((.*)", log, re.MULTILINE):
        name = touched.findall(rest)[-1]
        yield thread, call, re.sub(r"^\.(.+)\.\d+(-\w+)?$", r"\1\2", name) or "."


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    if reason := cannot_trace():
        pytest.skip(reason)
    with ServiceServer() as server:
        yield Campaign(tmp_path_factory.mktemp("kills"), server)


def test_the_signal_that_kills_once_a_call_is_made_is_none_that_a_run_listens_to() -> None:
    assert UNHEARD not in (*SIGNALS, *WARNINGS)
    assert signal.getsignal(UNHEARD) is signal.SIG_DFL


def test_a_run_killed_before_its_first_file_has_its_name_begins_in_the_same_directory(campaign: Campaign) -> None:
    campaign.kill(Place("rename", "config.json", 1), is_done=False)


@pytest.mark.slow
@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("call", CALLS)
def test_a_run_killed_at_any_system_call_is_the_run_that_was_left_alone(
    campaign: Campaign, call: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`DEMOSEARCH_KILLS=2/6` is the second of six parts: the 2nd, 8th, 14th place of each call...; 1/12 if unset."""
    part, parts = map(int, os.environ.get("DEMOSEARCH_KILLS", "1/12").split("/"))
    places = [place for place in campaign.places if place.call == call][part - 1 :: parts]
    fallen: list[str] = []
    for number, place in enumerate(places):
        try:
            outcome = campaign.kill(place, is_done=number % 2 == 0)
        except Exception as error:  # whatever going on with it has raised
            fallen.append(outcome := f"{type(error).__name__}: {error}")
        with capsys.disabled():
            print(f"\n{number + 1} of {len(places)} kills, {place}: {outcome}", end="", flush=True)
    assert not fallen
