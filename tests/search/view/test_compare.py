"""Runs beside each other, paired on the questions that they share."""

from pathlib import Path

import pytest

from configs.errors import InputError
from search.view.compare import compare_runs, remarks
from tests.search.report.made_run import small_run
from tests.search.view.folder import made_folder, score


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_folder(tmp_path_factory.mktemp("runs"))


def test_winners_and_base_prompts_meet_on_held_out_questions_in_pairs(folder: Path) -> None:
    runs = [("one", folder / "first"), ("two", folder / "below/second")]
    compared = compare_runs(runs)
    assert [(line.entry.run, line.entry.prompt, line.entry.side) for line in compared] == [
        ("one", "winner", "held_out"),
        ("one", "base prompt", "held_out"),
        ("two", "winner", "held_out"),
        ("two", "base prompt", "held_out"),
    ]
    differences = [line.difference and round(line.difference.mean, 6) for line in compared]
    assert differences == [None, -1.0, 1.0, -1.0]
    assert [line.shared for line in compared] == [3, 3, 3, 3]
    assert set(compared[2].categories) == {"maths", "prose"}


def test_the_prompts_of_both_can_be_read(folder: Path) -> None:
    winner, base = compare_runs([("one", folder / "first")])
    assert "query a" in winner.entry.text
    assert "query a" not in base.entry.text


def test_prompts_of_an_evaluation_are_compared_with_the_first(folder: Path) -> None:
    plain, rich = compare_runs([("e", folder / "compared")])
    assert plain.difference is None
    assert rich.difference is not None
    assert rich.difference.mean == pytest.approx(1.0)


def test_a_search_without_a_held_out_score_is_compared_on_search_questions(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", score)
    run.search("a")
    best, base = compare_runs([("r", run.write(ended=False))])
    assert (best.entry.prompt, best.entry.side, base.entry.side) == ("best so far", "search", "search")


def test_a_base_prompt_that_stayed_the_winner_is_called_so_for_people_and_winner_for_scripts(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", score)
    run.search("a")
    run.judge_finalists((), ("a",))
    (winner,) = (line.to_json() for line in compare_runs([("r", run.write())]))
    assert (winner["prompt"], winner["label"]) == ("winner", "winner (base prompt)")


def test_scores_on_different_questions_in_one_table_say_so(folder: Path, tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", score)
    run.search("a")
    going_on = run.write(ended=False)
    assert remarks(compare_runs([("one", folder / "first"), ("two", folder / "below/second")])) == []
    found = remarks(compare_runs([("one", folder / "first"), ("two", going_on)]))
    assert found[0] == "Scores are over each line's own questions, which differ: only the differences compare lines."
    assert found[1:] == ["Lines that share no question with the first have none either."]


def test_any_two_candidates_are_compared_on_what_both_were_asked(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", score)
    for added in ("a", "b"):
        run.search(added)
    path = run.write(ended=False)
    first, second = compare_runs([], prompts=[("r", path, 2), ("r", path, 1)])
    assert (first.entry.prompt, second.entry.prompt) == ("b, base 1", "a, base 1")
    assert second.difference is not None
    assert second.shared == 4
    assert second.difference.mean == pytest.approx(-1.0)


def test_a_variant_of_an_evaluation_is_compared_with_a_searchs_winner(folder: Path) -> None:
    compared = compare_runs([("one", folder / "first")], prompts=[("e", folder / "compared", 1)])
    assert [line.entry.prompt for line in compared] == ["winner", "base prompt", "rich"]


def test_runs_in_which_nothing_is_scored_cannot_be_compared(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", lambda names, question: float("nan"))
    run.write(ended=False)
    with pytest.raises(InputError, match="nothing is scored yet"):
        compare_runs([("r", tmp_path / "run")])
