"""Later scores stand beside the journal, and results are read with both."""

from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Side, Trial
from search.run_directory.amendments import Amendments, amendment, failed_items, open_amendments
from search.run_directory.journal import read_journal
from search.run_directory.records import EndRecord, TrialRecord

CANDIDATE = Candidate(("a", "b"))


def scored(scores: dict[str, float], failures: dict[str, str], mean: float | None, **more: Any) -> ScoredTrial:
    trial = Trial(CANDIDATE, (*scores, *failures))
    return ScoredTrial(trial, scores, failures, mean, dict.fromkeys(scores, 10), **more)


def record(side: Side = "search", **more: Any) -> TrialRecord:
    return TrialRecord(side, scored({"q1": 4.0}, {"q2": "JudgeFailed", "q3": "PromptTooLong"}, None, **more))


def test_a_later_score_takes_the_place_of_a_failure_and_the_mean_is_taken_anew() -> None:
    later = amendment("search", scored({"q2": 8.0}, {}, 8.0))
    read = Amendments([later], max_failed_share=0.2).amended(record()).scored
    assert read.scores == {"q1": 4.0, "q2": 8.0}
    assert read.failures == {"q3": "PromptTooLong"}
    assert read.mean == 6.0
    assert read.lengths == {"q1": 10, "q2": 10}


def test_with_too_many_failures_left_there_is_still_no_mean() -> None:
    later = amendment("search", scored({"q2": 8.0}, {}, 8.0))
    read = Amendments([later], max_failed_share=0.0).amended(record()).scored
    assert read.mean is None


def test_an_amendment_of_another_candidate_or_kind_changes_nothing() -> None:
    later = amendment("held_out", scored({"q2": 8.0}, {}, 8.0))
    assert Amendments([later], 0.5).amended(record()) == record()
    assert Amendments([], 0.5).amended(record()) == record()


def test_a_score_that_the_journal_has_is_never_replaced() -> None:
    later = amendment("search", scored({"q1": 1.0, "q2": 8.0}, {}, 4.5))
    read = Amendments([later], 0.5).amended(record()).scored
    assert read.scores["q1"] == 4.0


def test_scores_by_turn_come_with_their_question() -> None:
    later = amendment("search", scored({"q2": 8.0}, {}, 8.0, turns={"q2": (7.0, 9.0)}))
    read = Amendments([later], 0.5).amended(record(turns={"q1": (4.0, 4.0)})).scored
    assert read.turns == {"q1": (4.0, 4.0), "q2": (7.0, 9.0)}


def test_what_can_never_succeed_is_no_failed_item() -> None:
    (item,) = failed_items([record(), EndRecord(CANDIDATE, None, None)], frozenset({"PromptTooLong"}))
    assert item == ("search", Candidate(("a", "b")), ["q2"])


def test_amendments_are_added_to_those_that_are_there_and_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "amendments.jsonl"
    first, second = (amendment("search", scored({name: 8.0}, {}, 8.0)) for name in ("q2", "q3"))
    with open_amendments(path) as file:
        file.append(first)
    with path.open("a") as torn:
        torn.write('{"search": ["a')
    with open_amendments(path) as file:
        file.append(second)
    assert [*read_journal(path)] == [first, second]


def test_an_amendment_that_was_edited_doubled_exchanged_or_comes_behind_a_lost_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "amendments.jsonl"
    with open_amendments(path) as file:
        file.append(amendment("search", scored({"q2": 8.0}, {}, 8.0)))
        file.append(amendment("search", scored({"q3": 7.0}, {}, 7.0)))
    header, first, second = path.read_bytes().splitlines(keepends=True)
    edited = second.replace(b"7.0", b"9.0")
    for lines in ([first, edited], [first, first, second], [second, first], [second]):
        path.write_bytes(b"".join([header, *lines]))
        with pytest.raises(InputError, match=r"amendments.jsonl, line \d is damaged .it, or a line before it, is not"):
            [*read_journal(path)]
