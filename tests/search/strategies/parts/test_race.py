"""Races and their rules."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.elimination import PairedTest, by_rank, by_test
from search.strategies.parts.race import Race, Scores

A, B, C, D = (Candidate((name,)) for name in "abcd")
BLOCKS = [("q1", "q2"), ("q3", "q4"), ("q5",)]


def keep_all(scores: Mapping[Candidate, Scores]) -> Sequence[Candidate]:
    return list(scores)


def scored(trial: Trial, value: float | None) -> ScoredTrial:
    scores = {} if value is None else dict.fromkeys(trial.questions, value)
    return ScoredTrial(trial, scores, {}, value)


def run(race: Race, values: Mapping[Candidate, float | None]) -> list[Trial]:
    trials: list[Trial] = []
    while not race.over:
        asked = race.ask(100)
        trials += asked
        for trial in asked:
            race.tell(scored(trial, values[trial.candidate]))
    return trials


def test_all_who_are_in_meet_block_after_block() -> None:
    trials = run(Race([A, B], BLOCKS, keep_all), {A: 1.0, B: 2.0})
    assert trials == [Trial(one, block) for block in BLOCKS for one in (A, B)]


def test_the_best_by_mean_wins_and_the_earlier_of_equals() -> None:
    race = Race([A, B, C], BLOCKS, keep_all, winners=2)
    run(race, {A: 1.0, B: 2.0, C: 2.0})
    assert race.winners() == [B, C]


def test_nothing_is_asked_while_a_block_is_awaited() -> None:
    race = Race([A, B], BLOCKS, keep_all)
    first = race.ask(1)
    assert len(first) == 1
    assert len(race.ask(5)) == 1
    assert race.ask(5) == []
    assert not race.over


def test_a_question_that_failed_for_one_decides_nothing_between_them() -> None:
    race = Race([A, B], [("q1", "q2")], keep_all)
    first, second = race.ask(2)
    race.tell(ScoredTrial(first, {"q1": 9.0}, {"q2": "JudgeFailed"}, 9.0))
    race.tell(ScoredTrial(second, {"q1": 10.0, "q2": 1.0}, {}, 5.5))
    assert race.winners() == [B]


def test_a_failure_on_a_small_last_block_does_not_put_the_leader_out() -> None:
    race = Race([A, B], [("q1", "q2"), ("q3",)], keep_all)
    for trial in race.ask(2):
        race.tell(scored(trial, 9.0 if trial.candidate == A else 1.0))
    first, second = race.ask(2)
    race.tell(ScoredTrial(first, {}, {"q3": "JudgeFailed"}, None))
    race.tell(scored(second, 1.0))
    assert race.winners() == [A]


def test_who_cannot_be_scored_is_out() -> None:
    race = Race([A, B, C], BLOCKS, keep_all)
    trials = run(race, {A: None, B: 1.0, C: 0.0})
    assert [trial.candidate for trial in trials].count(A) == 1
    assert race.winners() == [B]


def test_a_race_that_nobody_survives_has_no_winner() -> None:
    race = Race([A, B], BLOCKS, keep_all)
    run(race, {A: None, B: None})
    assert race.winners() == []


def test_known_scores_are_not_asked_for_but_count() -> None:
    known = {A: {name: 3.0 for block in BLOCKS for name in block}}
    race = Race([A, B], BLOCKS, keep_all, earlier_scores=known)
    assert {trial.candidate for trial in run(race, {B: 2.0})} == {B}
    assert race.winners() == [A]


def test_it_ends_as_soon_as_enough_have_left() -> None:
    race = Race([A, B, C, D], BLOCKS, by_rank(0.5))
    trials = run(race, {A: 1.0, B: 4.0, C: 3.0, D: 2.0})
    assert [trial.candidate for trial in trials] == [A, B, C, D, B, C]
    assert race.winners() == [B]


def test_one_contender_alone_still_meets_the_first_block() -> None:
    assert run(Race([A], BLOCKS, keep_all), {A: 1.0}) == [Trial(A, BLOCKS[0])]


def test_it_never_asks_more_than_it_says_is_left() -> None:
    race = Race([A, B, C, D], BLOCKS, by_rank(0.5))
    left = race.left()
    assert len(run(race, {A: 1.0, B: 4.0, C: 3.0, D: 2.0})) <= left
    assert race.left() == 0 or race.over


def table(*rows: Sequence[float]) -> dict[Candidate, dict[str, float]]:
    return {
        one: {f"q{place}": value for place, value in enumerate(row)} for one, row in zip((A, B, C), rows, strict=False)
    }


@pytest.mark.parametrize("test", ["t", "wilcoxon", "sequential"])
def test_a_paired_test_sees_a_small_gain_behind_large_differences_between_questions(test: PairedTest) -> None:
    levels = [1.0, 9.0, 3.0, 7.0, 5.0, 2.0, 8.0, 6.0]
    better = [level + 0.3 + 0.01 * place for place, level in enumerate(levels)]
    assert by_test(test, 0.05)(table(levels, better)) == [B]


@pytest.mark.parametrize("test", ["t", "wilcoxon", "sequential"])
def test_equal_candidates_all_stay(test: PairedTest) -> None:
    assert by_test(test, 0.05)(table([1.0] * 8, [1.0] * 8)) == [A, B]


def test_three_questions_prove_nothing() -> None:
    assert by_test("t", 0.05)(table([1.0, 1.1, 1.0], [9.0, 9.1, 9.2])) == [A, B]


def test_the_best_few_stay_whatever_the_test_says() -> None:
    rows = table([1.0, 1.1, 1.2, 1.0, 1.1], [5.0, 5.1, 5.0, 5.2, 5.0], [9.0, 9.1, 9.0, 9.0, 9.2])
    assert by_test("t", 0.05, winners=2)(rows) == [B, C]


def test_only_questions_that_all_were_scored_on_count() -> None:
    rows = table([5.0, 5.0, 5.0, 5.0, 9.0], [5.2, 5.1, 5.2, 5.3])
    assert by_test("t", 0.05)(rows) == [B]


def ever_out(test: PairedTest, searches: int, blocks: int) -> float:
    """How often one of two equal candidates leaves, when a test looks after every block of 4."""
    draw, out = np.random.default_rng(0), 0
    for _ in range(searches):
        rows = draw.normal(size=(2, 4 * blocks))
        out += any(len(by_test(test, 0.1)(table(*rows[:, : 4 * seen]))) < 2 for seen in range(1, blocks + 1))
    return out / searches


def test_a_sequential_test_errs_no_more_often_than_it_says_however_often_it_looks() -> None:
    assert ever_out("sequential", 400, 20) < 0.2  # the best of the two is chosen by the scores: both sides may err
    assert ever_out("t", 400, 20) > 0.4
