"""Later scores stand beside the journal, and results are read with both."""

from pathlib import Path
from typing import Any

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.run_directory.amendments import amended, amendment, failed_items, open_amendments
from search.run_directory.journal import Line, read_journal, trial_line

CANDIDATE = Candidate(("a", "b"))


def scored(scores: dict[str, float], failures: dict[str, str], mean: float | None, **more: Any) -> ScoredTrial:
    trial = Trial(CANDIDATE, (*scores, *failures))
    return ScoredTrial(trial, scores, failures, mean, dict.fromkeys(scores, 10), **more)


def line(kind: str = "search", **more: Any) -> Line:
    return trial_line(kind, scored({"q1": 4.0}, {"q2": "JudgeFailed", "q3": "PromptTooLong"}, None, **more))


def test_a_later_score_takes_the_place_of_a_failure_and_the_mean_is_taken_anew() -> None:
    later = amendment("search", scored({"q2": 8.0}, {}, 8.0))
    (read,) = amended([line()], [later], max_failed_share=0.2)
    assert read["scores"] == {"q1": 4.0, "q2": 8.0}
    assert read["failures"] == {"q3": "PromptTooLong"}
    assert read["mean"] == 6.0
    assert read["lengths"] == {"q1": 10, "q2": 10}


def test_with_too_many_failures_left_there_is_still_no_mean() -> None:
    (read,) = amended([line()], [amendment("search", scored({"q2": 8.0}, {}, 8.0))], max_failed_share=0.0)
    assert read["mean"] is None


def test_an_amendment_of_another_candidate_or_kind_changes_nothing() -> None:
    later = amendment("held_out", scored({"q2": 8.0}, {}, 8.0))
    assert amended([line()], [later], 0.5) == [line()]
    assert amended([line()], [], 0.5) == [line()]


def test_a_score_that_the_journal_has_is_never_replaced() -> None:
    (read,) = amended([line()], [amendment("search", scored({"q1": 1.0, "q2": 8.0}, {}, 4.5))], 0.5)
    assert read["scores"]["q1"] == 4.0


def test_scores_by_turn_come_with_their_question() -> None:
    later = amendment("search", scored({"q2": 8.0}, {}, 8.0, turns={"q2": (7.0, 9.0)}))
    (read,) = amended([line(turns={"q1": (4.0, 4.0)})], [later], 0.5)
    assert read["turns"] == {"q1": [4.0, 4.0], "q2": [7.0, 9.0]}


def test_what_can_never_succeed_is_no_failed_item() -> None:
    (item,) = failed_items([line(), {"end": {"winner": ["a"], "runner_up": None}}], frozenset({"PromptTooLong"}))
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
    assert read_journal(path) == [first, second]
