"""Tags and notes that several change at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from search.cli.folder_commands import tag
from search.run_directory.locks import changing
from search.run_directory.notes import change_notes, read_notes
from tests.search.view.folder import made_search


def test_tags_that_several_add_at_the_same_moment_are_all_kept(tmp_path: Path) -> None:
    run, tags = made_search(tmp_path / "run", "a"), [f"tag {number:02}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda tag: change_notes(run, [tag]), tags))
    assert [*read_notes(run).tags] == tags


def test_of_runs_that_are_given_a_tag_alone_at_the_same_moment_one_has_it(tmp_path: Path) -> None:
    runs, together = [made_search(tmp_path / f"run{number}", "a") for number in range(6)], Barrier(6)

    def give(run: Path) -> None:
        together.wait()
        tag(run, ["production"], alone=True)

    with ThreadPoolExecutor(len(runs)) as pool:
        list(pool.map(give, runs))
    assert sum("production" in read_notes(run).tags for run in runs) == 1


def test_a_tag_alone_leaves_nothing_in_the_folder_of_the_runs_which_may_be_a_run_itself(tmp_path: Path) -> None:
    outer = made_search(tmp_path / "outer", "a")
    inner = made_search(outer / "inner", "a")
    change_notes(outer, ["production"])
    before = {*outer.iterdir()}
    with changing(outer):
        pass
    tag(inner, ["production"], alone=True)
    assert {*outer.iterdir()} == before
