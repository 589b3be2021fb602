"""The run directory: one coordinator, one manifest."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from configs.loading import load_config
from search.run_directory.run import Run, read_config, read_id, read_manifest
from search.run_directory.state import read_state

CONFIG = load_config("quickstart")

HOLDER = """
import sys, time
from pathlib import Path
from configs.loading import load_config
from search.run_directory.run import Run
run = Run.create(Path(sys.argv[1]), load_config("quickstart"))
print("held", flush=True)
time.sleep(600)
"""


def test_a_run_remembers_its_config(tmp_path: Path) -> None:
    Run.create(tmp_path / "run", CONFIG).close()
    assert read_config(tmp_path / "run") == CONFIG


def test_a_second_run_in_the_same_directory_is_refused_with_the_way_on(tmp_path: Path) -> None:
    Run.create(tmp_path / "run", CONFIG).close()
    with pytest.raises(InputError, match="demosearch resume"):
        Run.create(tmp_path / "run", CONFIG)


def test_a_directory_that_is_no_run_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match="is not a run directory"):
            Run.open(path)


def test_a_second_coordinator_is_told_who_the_first_one_is(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        assert read_state(tmp_path / "run") == ("running", "")
        with pytest.raises(InputError, match=f"another coordinator .process {holder.pid} on"):
            Run.open(tmp_path / "run")
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        holder.stdout.close()
    assert read_state(tmp_path / "run") == ("crashed", "")
    Run.open(tmp_path / "run").close()


def test_a_clean_stop_is_told_from_a_crash(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    run.set_state("stopped", "the key is revoked")
    run.close()
    assert read_state(tmp_path / "run") == ("stopped", "the key is revoked")


def test_an_unchanged_manifest_is_accepted(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    for temperature in (0, 0.0):
        run.check_manifest({"pool": "64 demonstrations", "decoding": {"stop": ("#",), "temperature": temperature}})
    assert read_manifest(tmp_path / "run")["decoding"] == {"stop": ["#"], "temperature": 0}
    run.close()


def test_a_changed_manifest_is_refused_with_every_difference(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    run.check_manifest({"pool": "64 demonstrations", "seed": 0, "window": 8})
    with pytest.raises(InputError, match=r'(?s)pool: was "64 demonstrations", is "65.*seed: was 0, is 1') as refused:
        run.check_manifest({"pool": "65 demonstrations", "seed": 1, "window": 8})
    assert "window" not in str(refused.value)
    run.close()


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (
            {"sources": {"my_judge": "1", "my_judge file words.txt": "2"}},
            {"sources": {"my_judge": "3"}},
            ['sources, my_judge: was "1", is "3"', "sources, my_judge file words.txt: is gone"],
        ),
        (
            {"strict": 1, "scale": [1, 10]},
            {"strict": True, "scale": [1.0, 10]},
            ["scale, 1: was 1, is 1.0", "strict: was 1, is true"],
        ),
        ({"of": {"a": 1, "b": 2}}, {"of": {"b": 2, "a": 1}}, ['of: was {"a": 1, "b": 2}, is {"b": 2, "a": 1}']),
    ],
)
def test_of_a_fingerprint_only_the_parts_that_differ_are_shown(
    before: dict[str, Any], after: dict[str, Any], lines: list[str], tmp_path: Path
) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    first, second = ({"judge": [[json.dumps(fingerprint), 1.0, 1, "mean"]]} for fingerprint in (before, after))
    run.check_manifest(first)
    with pytest.raises(InputError) as refused:
        run.check_manifest(second)
    assert str(refused.value).splitlines()[1:-1] == [f"  judge, 1, {line}" for line in lines]
    run.close()


@pytest.mark.parametrize(
    ("now", "advice"),
    [
        ({"parser": "2", "rating": 1}, "with the version that began the run"),
        ({"parser": "2", "rating": 2}, "restore them"),
    ],
)
def test_where_only_the_reading_of_verdicts_is_another_the_advice_can_be_followed(
    now: dict[str, Any], advice: str, tmp_path: Path
) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    was = {"parser": "1", "rating": 1}
    before, after = ({"judge": [[json.dumps(fingerprint), 1.0, 1, "mean"]]} for fingerprint in (was, now))
    run.check_manifest(before)
    with pytest.raises(InputError, match=advice):
        run.check_manifest(after)
    run.close()


def test_a_run_that_never_started_leaves_nothing(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    assert not run.started
    run.discard()
    assert not (tmp_path / "run").exists()


def test_two_who_ask_at_once_do_not_take_each_other_for_a_coordinator(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    run.set_state("stopped", "interrupted")
    run.close()
    with ThreadPoolExecutor(4) as threads:
        states = list(threads.map(lambda _: read_state(tmp_path / "run"), range(400)))
    assert set(states) == {("stopped", "interrupted")}


def test_what_a_process_left_that_was_killed_before_it_had_begun_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".config.json.123").write_text("{")
    run = Run.create(tmp_path / "run", CONFIG)
    run.close()
    (tmp_path / "run" / ".state.json.77").write_text("")
    Run.open(tmp_path / "run").close()
    assert not [*(tmp_path / "run").glob(".*")]


def test_a_directory_left_by_a_kill_before_the_first_file_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").touch()
    Run.create(tmp_path / "run", CONFIG).close()


def test_a_run_keeps_its_id_when_its_directory_is_moved(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", CONFIG)
    before = run.id
    run.close()
    (tmp_path / "run").rename(tmp_path / "moved")
    assert read_id(tmp_path / "moved") == before


def test_a_run_stays_where_it_is_when_code_of_the_users_changes_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = Run.create(Path("run"), CONFIG)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    run.set_state("finished")
    run.close()
    assert read_state(tmp_path / "run") == ("finished", "")
    assert not [*(tmp_path / "elsewhere").iterdir()]
