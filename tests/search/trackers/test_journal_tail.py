"""A journal that somebody else is writing."""

from pathlib import Path

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Side, Trial
from search.run_directory.journal import Journal
from search.run_directory.records import EndRecord, JournalRecord, TrialRecord
from search.trackers.journal_tail import JournalTail

LEADERS = (Candidate(("a",)),)


def record(
    name: str, scores: dict[str, float], mean: float | None, failed: str = "", side: Side = "search"
) -> TrialRecord:
    failures = {failed: "JudgeFailed"} if failed else {}
    trial = Trial(Candidate((name,)), (*scores, *failures))
    return TrialRecord(side, ScoredTrial(trial, scores, failures, mean), LEADERS if side == "search" else ())


BASE = record("a", {"q1": 4.0, "q2": 6.0}, 5.0)
FAILED = record("b", {"q1": 9.0}, None, failed="q2")
MORE = record("a", {"q3": 8.0}, 8.0)
HELD_OUT = record("a", {"h1": 7.0}, 7.0, side="held_out")
END = EndRecord(Candidate(("a",)), None, None)


def written(path: Path, *records: JournalRecord) -> Path:
    journal = Journal(path)
    for one in records:
        journal.append(one)
    journal.close()
    return path


def test_every_line_is_a_point_once_however_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    tail = JournalTail(path)
    text = written(tmp_path / "whole", BASE, FAILED, MORE, HELD_OUT, END).read_text()
    points = [*tail.points()]
    for place in range(0, len(text), 7):
        with path.open("a", encoding="utf-8") as file:
            file.write(text[place : place + 7])
        points += tail.points()
    assert [point.step for point in points] == [2, 4, 5, 6]
    assert tail.points() == []
    assert points == JournalTail(path).points()


def test_a_trial_without_a_mean_is_a_step_without_a_score(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", BASE, FAILED)
    assert JournalTail(path).points()[1].figures == {
        "search/trials": 2,
        "search/demonstrations": 1,
        "search/best_so_far": 5.0,
    }


def test_the_best_so_far_is_the_leaders_mean_over_all_its_questions(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", BASE, MORE)
    assert JournalTail(path).points()[1].figures["search/best_so_far"] == 6.0
