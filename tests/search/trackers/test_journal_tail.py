"""A journal that somebody else is writing."""

import json
from pathlib import Path

from search.run_directory.journal import Line
from search.trackers.journal_tail import JournalTail

BASE: Line = {"search": ["a"], "mean": 5.0, "scores": {"q1": 4.0, "q2": 6.0}, "failures": {}, "leaders": [["a"]]}
FAILED: Line = {
    "search": ["b"],
    "mean": None,
    "scores": {"q1": 9.0},
    "failures": {"q2": "JudgeFailed"},
    "leaders": [["a"]],
}
MORE: Line = {"search": ["a"], "mean": 8.0, "scores": {"q3": 8.0}, "failures": {}, "leaders": [["a"]]}
HELD_OUT: Line = {"held_out": ["a"], "mean": 7.0, "scores": {"h1": 7.0}, "failures": {}, "leaders": []}
END: Line = {"end": {"winner": ["a"], "runner_up": None}}


def written(line: Line) -> str:
    return json.dumps(line) + "\n"


def test_every_line_is_a_point_once_however_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    tail = JournalTail(path)
    text = "".join(map(written, (BASE, FAILED, MORE, HELD_OUT, END)))
    points = [*tail.points()]
    for place in range(0, len(text), 7):
        with path.open("a", encoding="utf-8") as file:
            file.write(text[place : place + 7])
        points += tail.points()
    assert [point.step for point in points] == [2, 4, 5, 6]
    assert tail.points() == []
    assert points == JournalTail(path).points()


def test_a_trial_without_a_mean_is_a_step_without_a_score(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(written(BASE) + written(FAILED))
    assert JournalTail(path).points()[1].figures == {
        "search/trials": 2,
        "search/demonstrations": 1,
        "search/best_so_far": 5.0,
    }


def test_the_best_so_far_is_the_leaders_mean_over_all_its_questions(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(written(BASE) + written(MORE))
    assert JournalTail(path).points()[1].figures["search/best_so_far"] == 6.0
