"""Ledgers of runs in the same folder."""

from pathlib import Path

from search.run_directory.neighbours import ledgers_of_neighbours


def run(path: Path, ledger: bool = True) -> Path:
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    if ledger:
        (path / "ledger.sqlite").write_text("")
    return path


def test_every_other_run_of_the_folder_with_a_ledger_is_a_neighbour(tmp_path: Path) -> None:
    own, other = run(tmp_path / "runs" / "own"), run(tmp_path / "runs" / "other")
    run(tmp_path / "runs" / "elsewhere", ledger=False)
    run(tmp_path / "runs" / "deeper" / "run")
    (tmp_path / "runs" / "notes").mkdir()
    (tmp_path / "runs" / "notes" / "ledger.sqlite").write_text("of no run")
    assert ledgers_of_neighbours(own) == [other / "ledger.sqlite"]


def test_a_run_that_is_not_there_yet_has_the_neighbours_that_it_will_have(tmp_path: Path) -> None:
    other = run(tmp_path / "other")
    assert ledgers_of_neighbours(tmp_path / "new") == [other / "ledger.sqlite"]
    assert ledgers_of_neighbours(tmp_path / "nowhere" / "new") == []
