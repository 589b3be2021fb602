"""Tags and notes that several change at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from search.run_directory.notes import change_notes, read_notes
from tests.search.view.folder import made_search


def test_tags_that_several_add_at_the_same_moment_are_all_kept(tmp_path: Path) -> None:
    run, tags = made_search(tmp_path / "run", "a"), [f"tag {number:02}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda tag: change_notes(run, [tag]), tags))
    assert [*read_notes(run).tags] == tags
