"""When the base prompt's answers are judged again."""

import pytest

from search.problem.candidate import Candidate
from search.problem.trial import Trial
from search.strategies.parts.drift_checks import DriftChecks

BASE = Candidate(("own",))
QUESTIONS = tuple(f"q{number}" for number in range(10))


def asked(count: int) -> list[Trial]:
    checks = DriftChecks(BASE, QUESTIONS, count, 0)
    return [trial for percent in range(101) for trial in checks.due(percent / 100, 9)]


def test_checks_are_equally_far_apart_and_each_has_questions_of_its_own() -> None:
    checks = DriftChecks(BASE, QUESTIONS, 3, 0)
    assert [len(checks.due(spent, 9)) for spent in (0.0, 0.2, 0.26, 0.3, 0.5, 0.76, 0.99)] == [0, 0, 1, 0, 1, 1, 0]
    names = [name for trial in asked(3) for name in trial.questions]
    assert len(names) == len({*names}) == 9


def test_checks_that_are_overdue_are_all_made_as_soon_as_there_is_room() -> None:
    checks = DriftChecks(BASE, QUESTIONS, 3, 0)
    assert [len(checks.due(0.8, room)) for room in (0, 2, 2, 2)] == [0, 2, 1, 0]


@pytest.mark.parametrize("count", range(1, 11))
def test_as_many_are_made_as_are_wanted(count: int) -> None:
    trials = asked(count)
    assert len(trials) == count
    assert sum(len(trial.questions) for trial in trials) == DriftChecks(BASE, QUESTIONS, count, 0).answers


def test_they_ask_for_further_verdicts_on_the_base_prompt() -> None:
    assert {(trial.candidate, trial.again) for trial in asked(2)} == {(BASE, 1)}


def test_no_question_is_asked_about_twice_however_many_checks_are_wanted() -> None:
    names = [name for trial in asked(20) for name in trial.questions]
    assert sorted(names) == sorted(QUESTIONS)


def test_none_are_made_where_none_are_wanted() -> None:
    assert asked(0) == []


def test_an_extension_that_leaves_nothing_to_spend_has_its_one_check_at_the_end() -> None:
    checks = DriftChecks(BASE, QUESTIONS, 2, 0)
    assert len(checks.due(1.0, 9)) == 2
    checks.extend(1.0)
    assert [len(checks.due(spent, 8)) for spent in (0.99, 1.0, 1.0)] == [0, 1, 0]
