"""The paper's search."""

import pytest

from configs.schema.strategy import ExhaustiveGreedyConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.exhaustive_greedy import ExhaustiveGreedy
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive


def greedy(
    space: SearchSpace = SPACE, threshold: float | None = None, stop: bool = True, verdicts: int = 1
) -> ExhaustiveGreedy:
    config = ExhaustiveGreedyConfig(
        kind="exhaustive_greedy",
        max_demonstrations=2,
        threshold=threshold,
        stop_without_gain=stop,
        later_verdicts=verdicts,
    )
    return ExhaustiveGreedy(space, config)


class TestExhaustiveGreedy(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return greedy


def falling(candidate: Candidate) -> float:
    """One demonstration helps, a second one hurts."""
    names = [name for name in candidate.demonstrations if len(name) == 1]
    return {0: 6.0, 1: 7.0, 2: 6.5}[len(names)] + 0.1 * ("e" in names) + 0.01 * ("g" in names)


def test_each_round_tries_every_demonstration_behind_those_found() -> None:
    added = [SPACE.added(trial.candidate) for trial in drive(greedy(), SPACE)]
    assert added == [(), *[(name,) for name in "abcdefgh"], *[("c", name) for name in "abdefgh"]]


def test_a_round_without_gain_ends_the_search_and_is_not_accepted() -> None:
    strategy = greedy()
    drive(strategy, SPACE, falling)
    assert SPACE.added(strategy.ranking()[0]) == ("e",)


def test_the_papers_way_accepts_the_last_round_even_when_it_is_lower() -> None:
    strategy = greedy(stop=False)
    drive(strategy, SPACE, falling)
    assert SPACE.added(strategy.ranking()[0]) == ("e", "g")
    assert SPACE.added(strategy.ranking()[1]) == ("e",)


def test_from_round_two_only_demonstrations_above_the_threshold_are_tried() -> None:
    trials = drive(greedy(threshold=0.6), SPACE)
    assert [SPACE.added(trial.candidate) for trial in trials[9:]] == [("c", name) for name in "fgh"]


def test_of_equal_means_the_earlier_in_the_pool_wins() -> None:
    strategy = greedy(stop=False)
    drive(strategy, SPACE, lambda _: 5.0)
    assert SPACE.added(strategy.ranking()[0]) == ("a", "b")


def test_no_demonstration_is_chosen_for_having_failed_on_a_hard_question() -> None:
    strategy = greedy(stop=False)
    hard = {"q1": 1.0, "q2": 9.0, "q3": 8.0}
    strategy.tell(ScoredTrial(Trial(SPACE.compose(()), SPACE.questions), hard, {}, 6.0))
    for trial in strategy.ask(8):
        (name,) = SPACE.added(trial.candidate)
        scores = {question: score + (name == "b") * 0.5 for question, score in hard.items()}
        lucky = {question: score for question, score in scores.items() if name != "a" or question != "q1"}
        failed = dict.fromkeys(scores.keys() - lucky.keys(), "JudgeFailed")
        strategy.tell(ScoredTrial(trial, lucky, failed, sum(lucky.values()) / len(lucky)))
    assert SPACE.added(strategy.ranking()[0]) == ("b",)


def test_a_demonstration_that_cannot_be_scored_is_passed_over() -> None:
    strategy = greedy()
    drive(strategy, SPACE, lambda candidate: None if "c" in candidate.demonstrations else float("h" in str(candidate)))
    assert SPACE.added(strategy.ranking()[0]) == ("h",)


def test_rounds_behind_the_first_are_judged_as_often_as_asked_and_the_average_chooses() -> None:
    """`a` leads by the first verdict of round 2, `b` by the mean of all three."""
    strategy, second = greedy(stop=False, verdicts=3), {"a": (9.0, 1.0, 1.0), "b": (6.0, 6.0, 6.0)}
    plans: list[int] = []

    def score(trial: Trial) -> ScoredTrial:
        plans.append(strategy.planned())
        added = SPACE.added(trial.candidate)
        value = second.get(added[1], (5.0,) * 3)[trial.again] if len(added) == 2 else 5.0 + ("c" in added)
        return ScoredTrial(trial, dict.fromkeys(trial.questions, value), {}, value)

    trials = [Trial(SPACE.compose(()), SPACE.questions)]
    for trial in trials:
        strategy.tell(score(trial))
        trials += strategy.ask(4)
    rounds = [(SPACE.added(trial.candidate), trial.again) for trial in trials]
    assert [again for added, again in rounds if len(added) < 2] == [0] * 9
    assert [again for added, again in rounds if added == ("c", "b")] == [0, 1, 2]
    assert len(rounds) == 9 + 3 * 7
    assert SPACE.added(strategy.ranking()[0]) == ("c", "b")
    assert {*plans} == {strategy.planned()} == {len(rounds) * len(SPACE.questions)}
