"""A run directory is removed whole, and never while somebody works on it."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from errno import EIO
from pathlib import Path

import pytest

from configs.errors import InputError
from search.run_directory.locks import changing, keeping, working
from search.run_directory.notes import change_notes
from search.run_directory.removal import remove_run
from search.run_directory.run import Run
from search.view.runs import run_paths
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
    before = {*run.iterdir(), run / "lock"}
    with keeping(run), keeping(run), pytest.raises(InputError, match="another process judges the answers of"):
        remove_run(run)
    assert {*run.iterdir()} == before
    with working(run):  # it was given free
        pass


def test_no_file_of_a_run_is_open_while_it_is_removed(tmp_path: Path) -> None:
    run, opened = made_search(tmp_path / "run", "a"), []  # NFS keeps such files, and with them the directory

    def look(event: str, arguments: tuple[object, ...]) -> None:
        if event == "shutil.rmtree" and str(arguments[0]).startswith(f"{tmp_path}/."):
            for descriptor in Path("/proc/self/fd").iterdir():
                with suppress(OSError):
                    opened.append(descriptor.readlink())

    sys.addaudithook(look)
    remove_run(run)
    assert opened
    assert not [file for file in opened if file.is_relative_to(tmp_path)]


def test_what_the_disk_keeps_of_a_run_that_is_removed_is_no_run_and_is_named(tmp_path: Path) -> None:
    run = made_search(tmp_path / "run", "a")

    def fail(event: str, arguments: tuple[object, ...]) -> None:
        if event == "shutil.rmtree" and str(arguments[0]).startswith(f"{tmp_path}/."):
            raise OSError(EIO, "Input/output error", str(arguments[0]))

    sys.addaudithook(fail)
    with pytest.raises(InputError, match=r"the rest of .*run, in (.*)/\.removed-\w+, cannot be removed \(Input/output"):
        remove_run(run)
    assert not run.exists()
    assert [*run_paths(tmp_path)] == []


@pytest.mark.parametrize("use", [working, keeping, changing])
def test_who_waits_for_a_run_that_is_removed_does_not_make_it_again(
    use: Callable[[Path], AbstractContextManager[None]], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with suppress(InputError, FileNotFoundError), use(run):
        pytest.fail("it is gone")
    assert not run.exists()


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
