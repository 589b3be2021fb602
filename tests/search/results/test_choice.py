"""Why a run's winner won."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from search.problem.candidate import OWN, Candidate
from search.results.choice import Choice, explain_choice
from search.results.search_results import read_search_results
from search.results.status import read_status
from search.run_directory.amendments import amendment, open_amendments
from search.run_directory.records import EndRecord, ExpectedGain, TrialRecord, record_from_json
from tests.search.report.made_run import MadeRun, small_run, table

SCORES = {
    (): {"g1": 5.0, "g2": 6.0, "g3": 4.0, "g4": 5.0, "h1": 3.0, "h2": 4.0, "h3": 5.0},
    ("a",): {"g1": 7.0, "g2": 8.0, "g3": 6.0, "g4": 7.5, "h1": 4.0, "h2": 5.0, "h3": 6.25},
    ("b",): {"g1": 9.0, "g2": 9.5, "g3": 5.0, "g4": 6.0, "h1": 4.5, "h2": 5.5, "h3": 8.0},
}


def made(path: Path) -> MadeRun:
    return small_run(path / "run", table(SCORES))


def choice(run: MadeRun, ended: bool = True) -> Choice:
    found = explain_choice(read_search_results(run.write(ended=ended)))
    assert found is not None
    return found


def finished(path: Path, expected: tuple[ExpectedGain | None, ExpectedGain | None] = (None, None)) -> MadeRun:
    run = made(path)
    run.search("a")
    run.search("b")
    run.judge_finalists(("a",), ("b",), (), expected=expected)
    return run


def test_it_tells_what_was_measured_what_is_expected_and_what_shrinkage_took(tmp_path: Path) -> None:
    found = choice(finished(tmp_path, (ExpectedGain(1.625, 0.9, 2.2), ExpectedGain(1.2, 0.1, 2.3))))
    text = "\n".join(found.sentences())
    assert found.title == "Why this one won"
    assert "The winner: its own 4 answers to search questions measured +2.12 [" in text
    assert "predict +1.62 [+0.90, +2.20] on further questions, 0.50 less than measured (shrinkage" in text
    assert "The runner-up: its own 4 answers" in text


def test_a_runner_up_that_measured_more_is_explained(tmp_path: Path) -> None:
    text = "\n".join(choice(finished(tmp_path)).sentences())
    assert "The runner-up measured the larger gain; it is second because" in text
    assert "On the 4 search questions that both have met, the winner minus the runner-up is -0.25 [" in text


def amend(path: Path, added: str, question: str, score: float) -> None:
    """As `retry-failed` does, of the candidate with this demonstration."""
    (scored,) = (
        record.scored
        for record in read_search_results(path).records()
        if isinstance(record, TrialRecord) and record.side == "search" and record.candidate.demonstrations[0] == added
    )
    with open_amendments(path / "amendments.jsonl") as file:
        file.append(amendment("search", replace(scored, scores={question: score})))


@pytest.mark.parametrize("failing", ["b", "c"])
def test_scores_that_were_added_afterwards_are_the_reason_only_where_a_gain_that_is_shown_has_some(
    tmp_path: Path, failing: str
) -> None:
    scores = SCORES | {("c",): SCORES["a",], (failing,): SCORES[failing if failing == "b" else "a",] | {"g3": math.nan}}
    run = small_run(tmp_path / "run", table(scores))
    run.search("a")
    run.search("b", questions=("g1", "g2", "g3") if failing == "b" else ("g1", "g2"))
    run.search("c")
    run.judge_finalists(("a",), ("b",), (), expected=(ExpectedGain(1.625, 0.9, 2.2), ExpectedGain(1.2, 0.1, 2.3)))
    amend(run.write(), failing, "g3", 9.0)
    found = explain_choice(read_search_results(run.path))
    assert found is not None
    winner, runner_up, *_, between = found.sentences()[1:]
    assert "; the scores known during the search predict +1.62 [+0.90, +2.20] on further questions, 0.50 less" in winner
    if failing == "b":
        assert "predict +1.20 [+0.10, +2.30] on further questions." in runner_up
        assert "it is second because scores were added after the candidates had been ranked." in between
    else:
        assert "it is second because a gain on fewer questions counts less." in between


def test_a_runner_up_that_measured_more_on_fewer_questions_says_that_this_counts_less(tmp_path: Path) -> None:
    run = made(tmp_path)
    run.search("a")
    run.search("b", questions=("g1", "g2"))
    run.judge_finalists(("a",), ("b",), ())
    text = "\n".join(choice(run).sentences())
    assert "it is second because a gain on fewer questions counts less." in text


def test_a_best_so_far_that_has_fallen_says_what_was_measured_before(tmp_path: Path) -> None:
    run = made(tmp_path)
    run.search("b", questions=("g1", "g2"))
    assert "An earlier best so far" not in "\n".join(choice(run, ended=False).sentences())
    run.search("b", questions=("g3", "g4"))
    found = choice(run, ended=False)
    assert "An earlier best so far had measured +3.75 on 2 questions; that did not hold" in found.sentences()[-1]
    assert found.to_json()["highest"] == {"gain": 3.75, "n": 2}
    run.judge_finalists(("b",), ())
    assert choice(run).highest is None


def test_gains_over_other_questions_are_not_listed_without_a_word(tmp_path: Path) -> None:
    run = made(tmp_path)
    run.search("a")
    run.search("b", questions=("g1", "g2"))
    text = "\n".join(choice(run, ended=False).sentences())
    assert "measured on different questions (4 and 2)" in text or "measured on different questions (2 and 4)" in text


def test_before_the_end_nothing_is_called_won_and_nothing_is_expected(tmp_path: Path) -> None:
    run = made(tmp_path)
    run.search("a")
    found = choice(run, ended=False)
    assert found.title == "Why this one leads"
    assert found.contenders[0].role == "best so far"
    assert found.contenders[0].expected is None


def test_an_interval_beyond_the_scale_ends_with_it(tmp_path: Path) -> None:
    found = choice(finished(tmp_path, (ExpectedGain(8.5, 6.0, 11.0), None)))
    expected = found.contenders[0].expected
    assert expected is not None
    assert expected.high == 9.0  # of scores from 1 to 10


def test_nothing_but_the_base_prompt_needs_no_explanation(tmp_path: Path) -> None:
    run = made(tmp_path)
    assert explain_choice(read_search_results(run.write(ended=False))) is None


def test_status_tells_trials_from_candidates_and_carries_the_choice(tmp_path: Path) -> None:
    run = made(tmp_path)
    run.search("a", questions=("g1", "g2"))
    run.search("a", questions=("g3", "g4"))
    status = read_status(run.write(ended=False))
    assert (status.trials, status.candidates) == (3, 2)
    assert status.to_json()["choice"]["contenders"][0]["role"] == "best so far"


@pytest.mark.parametrize("expected", [(None, None), (ExpectedGain(1.0, 0.5, 1.5), None)])
def test_an_end_is_read_as_it_was_written(expected: tuple[ExpectedGain | None, ExpectedGain | None]) -> None:
    end = EndRecord(Candidate(("a",)), Candidate(("b",), OWN), 0.98, expected)
    assert record_from_json(end.to_json()) == end
