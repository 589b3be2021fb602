"""A run directory is removed whole, and never while somebody works on it."""

from pathlib import Path

import pytest

from configs.errors import InputError
from search.run_directory.locks import judging_anew, working
from search.run_directory.notes import change_notes
from search.run_directory.removal import remove_run
from search.run_directory.run import Run
from tests.search.view.folder import made_search


def test_a_run_that_is_removed_is_gone_for_whoever_wants_to_work_on_it(tmp_path: Path) -> None:
    run = made_search(tmp_path / "run", "a")
    (run / "batches").mkdir()
    (run / "batches" / "first").touch()
    change_notes(run, ["good"])
    remove_run(run)
    assert not run.exists()
    for work in (Run.open, remove_run, lambda path: change_notes(path, ["good"])):
        with pytest.raises(InputError, match="is not a run directory"):
            work(run)
    assert not run.exists()


def test_a_run_is_not_removed_while_another_process_judges_its_answers_anew(tmp_path: Path) -> None:
    run = made_search(tmp_path / "run", "a")
    before = {*run.iterdir(), run / "lock", run / "rejudge.lock"}
    with judging_anew(run), pytest.raises(InputError, match="another process judges the answers of"):
        remove_run(run)
    assert {*run.iterdir()} == before
    with working(run):  # it was given free
        pass


def test_what_stopped_a_removal_leaves_a_run_that_can_be_removed(tmp_path: Path) -> None:
    run = made_search(tmp_path / "run", "a")
    for file in run.iterdir():
        if file.name != "config.json":
            file.unlink()
    remove_run(run)
    assert not run.exists()


def test_a_link_to_a_run_is_not_removed_in_its_place(tmp_path: Path) -> None:
    run = made_search(tmp_path / "run", "a")
    link = tmp_path / "link"
    link.symlink_to(run)
    with pytest.raises(InputError, match="is a link: remove the run that it leads to"):
        remove_run(link)
    assert (run / "journal.jsonl").exists()
