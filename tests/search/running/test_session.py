"""A search as events, and a run as an object."""

from pathlib import Path

import pytest

from configs.errors import InputError
from search.running.session import SearchRun, run

pytestmark = pytest.mark.heavy

LOCAL = {"workers.kind": "local", "pool.limit": 4, "strategy": {"kind": "random", "trials": 2}}


def test_what_is_wrong_is_raised_where_the_events_are_taken_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"did you mean `strategy\.evaluations`"):
        next(run("quickstart", tmp_path / "run", overrides={"strategy.evaluatoins": 3}))
    with pytest.raises(InputError, match="there is no such file; check the path"):
        next(run("quickstart", tmp_path / "run", overrides=LOCAL | {"pool.path": tmp_path / "nothing.jsonl"}))
    assert not (tmp_path / "run").exists()


def test_a_directory_that_is_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError):
        list(run("quickstart", str(tmp_path), overrides=LOCAL))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_nothing_is_a_run_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a run directory"):
        SearchRun(tmp_path)._repr_html_()
