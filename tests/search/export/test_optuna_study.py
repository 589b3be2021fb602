"""A run as an Optuna study, read back by Optuna and by its dashboard."""

import json
import math
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import optuna
import pytest
from optuna.trial import TrialState

from configs.errors import InputError
from search.export.optuna_study import fill_study
from tests.command_line import demosearch
from tests.search.report.made_run import BASE, MadeRun, small_run

pytestmark = pytest.mark.heavy


def score(names: tuple[str, ...], question: str) -> float:
    """`b` fails on three of four search questions."""
    if "b" in names and question in ("g1", "g2", "g3"):
        return math.nan
    return 5.0 + len(names) + int(question[1]) / 10


def made(path: Path) -> Path:
    run = small_run(path, score)
    run.search("a")
    run.search("b")
    run.search("c", questions=("g1", "g2"))
    run.search("a", "c")
    run.judge_finalists(("a", "c"), ("a",), ())
    return run.write()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("runs") / "first")


def earlier(run: Path, folder: Path, lines: int) -> Path:
    """The same run when its journal had only so many lines."""
    path = Path(shutil.copytree(run, folder / run.name))
    journal = (run / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (path / "journal.jsonl").write_bytes(b"".join(journal[: lines + 1]))
    (path / "state.json").write_text('{"state": "stopped", "reason": "interrupted"}')
    return path


def study(url: str, name: str = "first") -> optuna.Study:
    return optuna.load_study(study_name=name, storage=url)


def test_every_candidate_is_a_trial_with_its_scores(run: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    assert fill_study(run, url) == 5
    base, a, b, c, both = study(url).trials
    assert [one.state for one in (base, a, b, c, both)] == [
        *(TrialState.COMPLETE, TrialState.COMPLETE, TrialState.FAIL, TrialState.PRUNED, TrialState.COMPLETE)
    ]
    assert base.params == {"count": 0, "slot 1": "", "slot 2": "", "slot 3": ""}
    assert both.params == {"count": 2, "slot 1": "a", "slot 2": "c", "slot 3": ""}
    assert both.value == pytest.approx(8.25)
    assert both.intermediate_values == pytest.approx({1: 8.1, 2: 8.15, 3: 8.2, 4: 8.25})
    assert c.value == pytest.approx(7.15)
    assert study(url).best_trial.number == both.number
    assert study(url).direction.name == "MAXIMIZE"


def test_a_base_prompt_that_was_only_compared_with_is_no_failed_trial(tmp_path: Path) -> None:
    run = MadeRun(tmp_path / "hot", {"g1": ""}, {"h1": ""}, lambda names, _: float(len(names)), hot="hot")
    run.search()
    run.search("a", decoding="hot")
    run.judge_finalists(("a",), (), decoding="hot")
    url = f"sqlite:///{tmp_path}/study.db"
    fill_study(run.write(), url)
    base, hot = study(url, "hot").trials
    assert (base.params["decoding"], hot.params["decoding"]) == ("", "hot")
    assert [one.state for one in (base, hot)] == [TrialState.COMPLETE] * 2


def test_what_is_known_beside_the_score_stands_in_attributes(run: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    fill_study(run, url)
    base, a, b, c, both = (one.user_attrs for one in study(url).trials)
    assert [one["role"] for one in (base, a, b, c, both)] == ["base prompt", "runner-up", "", "", "winner"]
    assert both["demonstrations"] == ["a", "c", *BASE]
    assert both["held-out score"] == pytest.approx(8.2)
    assert (c["held-out score"], c["questions"], b["failed"]) == (None, 2, 3)
    assert len({one["prompt"] for one in (base, a, b, c, both)}) == 5
    assert study(url).user_attrs["state"] == "finished"


def test_a_run_that_has_got_further_is_brought_up_to_date_without_duplicates(run: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    assert fill_study(earlier(run, tmp_path, 2), url) == 2
    fill_study(run, url)
    filled = [one.datetime_complete for one in study(url).trials]
    fill_study(run, url)
    assert [one.user_attrs["demonstrations"][:-1] for one in study(url).trials] == [[], ["a"], ["b"], ["c"], ["a", "c"]]
    assert [one.datetime_complete for one in study(url).trials] == filled


def test_the_study_of_another_run_is_left_alone(run: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    fill_study(run, url)
    with pytest.raises(InputError, match="a study 'first' that is not this run's"):
        fill_study(made(tmp_path / "first"), url)
    optuna.create_study(study_name="own", storage=url)
    with pytest.raises(InputError, match="a study 'own' that is not this run's"):
        fill_study(Path(shutil.copytree(run, tmp_path / "own")), url)
    assert len(study(url).trials) == 5


def test_a_study_with_trials_of_others_is_left_alone(run: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    fill_study(earlier(run, tmp_path, 2), url)
    study(url).add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(InputError, match="holds trials that demosearch has not written"):
        fill_study(run, url)
    assert len(study(url).trials) == 3


def test_slots_of_a_large_pool_are_places_in_it(run: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(run, tmp_path / "large"))
    material = json.loads((path / "material.json").read_text())
    del material["checksum"]  # of what is no longer its content
    material["pool"] = [*([f"x{n}", "query", "answer"] for n in range(300)), *material["pool"]]
    (path / "material.json").write_text(json.dumps(material))
    fill_study(path, f"sqlite:///{tmp_path}/study.db")
    both = study(f"sqlite:///{tmp_path}/study.db", "large").trials[-1]
    assert both.params == {"count": 2, "slot 1": 301, "slot 2": 303, "slot 3": 0}


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "no database", "nosql://x", "postgresql://x/y"])
def test_a_database_that_cannot_be_used_is_refused(run: Path, url: str) -> None:
    with pytest.raises(InputError, match="the database cannot be used"):
        fill_study(run, url)


def get(url: str, process: "subprocess.Popen[bytes]") -> Any:
    """As soon as somebody answers."""
    while process.poll() is None:
        try:
            with urlopen(url, timeout=10) as answer:
                return json.load(answer)
        except URLError:
            time.sleep(0.2)
    raise AssertionError("the dashboard has ended")


def test_the_command_fills_a_study_that_optunas_dashboard_shows(run: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    words = ("export", str(run), "--format", "optuna", "--output")
    refused = demosearch(*words, "study.db")
    assert refused.returncode == 2
    assert "sqlite:///study.db" in refused.stderr
    written = demosearch(*words, url)
    assert re.search(r"written: 5 candidates, a trial each", written.stderr)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    dashboard = Path(sys.executable).with_name("optuna-dashboard")
    process = subprocess.Popen([dashboard, url, "--host", "127.0.0.1", "--port", str(port)])
    try:
        (shown,) = get(f"http://127.0.0.1:{port}/api/studies", process)["study_summaries"]
        assert shown["study_name"] == "first"
        detail = get(f"http://127.0.0.1:{port}/api/studies/{shown['study_id']}", process)
    finally:
        process.terminate()
        process.wait()
    assert [trial["state"] for trial in detail["trials"]] == ["Complete", "Complete", "Fail", "Pruned", "Complete"]
    assert detail["trials"][4]["values"] == pytest.approx([8.25])
