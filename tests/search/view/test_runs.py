"""The runs of a folder, a row each."""

from pathlib import Path

import pytest
from rich.console import Console
from starlette.testclient import TestClient
from typer.testing import CliRunner

from configs.errors import InputError
from search.cli.app import app
from search.cli.run_table import run_table
from search.run_directory.notes import Notes, change_notes, read_notes
from search.view.bundle import write_bundle
from search.view.runs import RunList
from search.view.server import make_app
from tests.search.report.made_evaluation import made_evaluation
from tests.search.report.made_run import small_run
from tests.search.view.folder import made_folder, made_search, score


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_folder(tmp_path_factory.mktemp("runs"))


def test_every_run_below_the_folder_is_a_row_with_what_its_status_says(folder: Path) -> None:
    rows = {row.name: row for row in RunList(folder).rows()}
    assert {name: (row.kind, row.state) for name, row in rows.items()} == {
        "first": ("search", "finished"),
        "below/second": ("search", "finished"),
        "compared": ("evaluation", "finished"),
    }
    gains = {name: row.gain.mean for name, row in rows.items() if row.gain}
    assert gains == pytest.approx({"first": 1.0, "below/second": 2.0, "compared": 1.0})


def test_a_list_of_several_scores_says_that_they_are_of_different_questions(folder: Path) -> None:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(run_table(RunList(folder).rows(), folder))
        console.print("---")
        console.print(run_table(RunList(folder / "first").rows(), folder))
    several, alone = captured.get().split("---")
    assert "cannot be compared as they stand here: `demosearch compare RUN RUN` pairs them." in several
    assert "cannot be compared" not in alone
    several, alone = (
        TestClient(make_app(path, ""), base_url="http://127.0.0.1:8765").get("/").text
        for path in (folder, folder / "first")
    )
    assert "cannot be compared as they stand here" in several
    assert "cannot be compared" not in alone


def test_a_run_directory_itself_may_be_looked_at(folder: Path) -> None:
    runs = RunList(folder / "first")
    assert [row.name for row in runs.rows()] == ["first"]
    assert runs.path("first") == folder / "first"


def test_a_name_that_leads_out_of_the_folder_is_no_run(folder: Path) -> None:
    assert RunList(folder / "below").path("../first") is None


def test_a_folder_that_cannot_be_looked_into_holds_no_run() -> None:
    too_long = Path("a" * 300)  # the system refuses it as it does one that nobody may enter
    assert RunList(too_long).rows() == []


def test_a_damaged_run_is_a_row_that_says_so(tmp_path: Path) -> None:
    made_search(tmp_path / "good", "a")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "config.json").write_text("{", encoding="utf-8")
    rows = {row.name: row for row in RunList(tmp_path).rows()}
    assert rows["good"].kind == "search"
    assert rows["bad"].kind == "unreadable"
    assert rows["bad"].note


def test_a_row_is_read_again_when_its_run_changes_and_only_then(tmp_path: Path) -> None:
    path = made_search(tmp_path / "run", "a")
    runs = RunList(tmp_path)
    (before,) = runs.rows()
    (same,) = runs.rows()
    change_notes(path, add=["new"])
    (after,) = runs.rows()
    assert same is before
    assert after.tags == ("new",)


def test_tags_are_added_and_taken_away_and_a_note_stays_until_it_is_replaced(tmp_path: Path) -> None:
    path = made_search(tmp_path / "run", "a")
    change_notes(path, add=["b", "a"], note="look again")
    assert change_notes(path, add=["c"], remove=["b", "nobody"]) == Notes(("a", "c"), "look again")
    assert read_notes(path) == Notes(("a", "c"), "look again")


def test_a_search_that_kept_the_base_prompt_says_so_in_the_place_of_a_gain(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", score)
    run.search("a")
    run.judge_finalists((), ("a",))
    run.write()
    (row,) = RunList(tmp_path).rows()
    assert (row.gain, row.kept_base) == (None, True)
    assert "base prompt kept" in CliRunner().invoke(app, ["list", str(tmp_path)]).output


def test_a_tag_that_one_run_alone_may_have_leaves_the_others_and_leads_scripts_to_its_directory(tmp_path: Path) -> None:
    folder = made_folder(tmp_path / "runs")

    def printed(*words: str) -> str:
        result = CliRunner().invoke(app, words)
        return f"{result.output}{result.exception or ''}"

    printed("tag", str(folder / "first"), "production", "good")
    (folder / "latest").symlink_to(folder / "first")
    assert "removed from first: production" in printed("tag", str(folder / "compared"), "production", "--alone")
    assert read_notes(folder / "first").tags == ("good",)
    assert printed("list", str(folder), "--tag", "production", "--paths") == f"{folder / 'compared'}\n"
    assert printed("list", str(folder), "--tag", "staging", "--paths") == ""
    assert printed("list", str(folder), "--tag", "staging") == f"no run in {folder} has the tag 'staging'\n"
    assert "--alone needs a TAG" in printed("tag", str(folder / "compared"), "--alone")
    assert "--paths cannot be used with --json" in printed("list", str(folder), "--paths", "--json")


def test_a_tag_is_not_added_while_another_run_cannot_lose_it(tmp_path: Path) -> None:
    first, second = (made_search(tmp_path / name, "a") for name in ("first", "second"))
    change_notes(first, add=["production"])
    (first / "notes.lock").unlink(missing_ok=True)
    (first / "notes.lock").mkdir()
    with pytest.raises(InputError, match="first cannot be written"):
        change_notes(second, add=["production"], others=[first])
    assert (read_notes(first).tags, read_notes(second).tags) == (("production",), ())


@pytest.mark.parametrize("tag", ["", "   ", "a,b", "x" * 41, "bell\a"])
def test_a_tag_that_could_not_be_shown_is_refused(tmp_path: Path, tag: str) -> None:
    path = made_search(tmp_path / "run", "a")
    with pytest.raises(InputError, match="cannot be used"):
        change_notes(path, add=[tag])
    assert read_notes(path) == Notes()


def test_notes_that_were_damaged_by_hand_are_no_notes(tmp_path: Path) -> None:
    path = made_search(tmp_path / "run", "a")
    for content in ("", "{", "[]", '{"tags": 7, "note": ""}'):
        (path / "notes.json").write_text(content, encoding="utf-8")
        assert read_notes(path) == Notes()


def test_an_experiment_is_a_row_above_those_of_its_evaluations(tmp_path: Path) -> None:
    made_evaluation(tmp_path / "grid" / "bench", {"h1": "maths"}, ("plain", "rich"), lambda name, _: len(name))
    (tmp_path / "grid" / "experiment.json").write_text('{"experiment": "components"}', encoding="utf-8")
    runs = RunList(tmp_path)
    rows = {row.name: row for row in runs.rows()}
    assert {name: (row.kind, row.state) for name, row in rows.items()} == {
        "grid": ("experiment", "stopped"),
        "grid/bench": ("evaluation", "finished"),
    }
    assert (rows["grid"].strategy, rows["grid"].candidates) == ("components", 2)
    assert rows["grid"].spend == rows["grid/bench"].spend
    assert rows["grid"].spend.generated > 0
    (tmp_path / "grid" / "page.html").write_text("<p>all cells</p>", encoding="utf-8")
    assert [row.state for row in runs.rows()] == ["finished", "finished"]
    client = TestClient(make_app(tmp_path), base_url="http://127.0.0.1")
    assert "2 prompts scored" in client.get("/run/grid").text
    assert client.get("/report/grid").text == "<p>all cells</p>"
    assert client.get("/answers/grid").status_code == 409
    write_bundle(tmp_path, tmp_path.parent / "files")
    assert (tmp_path.parent / "files" / "report" / "grid.html").read_text(encoding="utf-8") == "<p>all cells</p>"
