"""Greedy rounds by races."""

import random

import pytest

from configs.schema.strategy import RacingGreedyConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.problem.trial import ScoredTrial, Trial
from search.strategies.parts.elimination import PairedTest
from search.strategies.racing_greedy import RacingGreedy
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive


def racing(space: SearchSpace = SPACE, test: PairedTest = "t", block: int = 2, carry_over: float = 1.0) -> RacingGreedy:
    config = RacingGreedyConfig(kind="racing_greedy", block=block, test=test, carry_over=carry_over, p_value=0.05)
    return RacingGreedy(space, config, 0)


class TestRacingGreedy(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return racing


class TestWilcoxon(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: racing(space, "wilcoxon", carry_over=0.5)


MANY = SearchSpace((), tuple("abcdef"), tuple(f"q{number:02}" for number in range(40)), 0, 2)


def noisy(trial: Trial) -> ScoredTrial:
    """`f` is worth three points more than any other; questions differ by far more than candidates."""
    draw = random.Random(str(trial))
    levels = {name: 5 + 3 * random.Random(name).random() for name in trial.questions}
    gain = 3.0 * ("f" in trial.candidate.demonstrations)
    scores = {name: level + gain + draw.gauss(0, 0.5) for name, level in levels.items()}
    return ScoredTrial(trial, scores, {}, sum(scores.values()) / len(scores))


def asked_of(strategy: RacingGreedy) -> dict[Candidate, int]:
    """Questions asked of each candidate."""
    strategy.tell(noisy(Trial(MANY.compose(()), MANY.questions)))
    asked: dict[Candidate, int] = {}
    while trials := strategy.ask(100):
        for trial in trials:
            asked[trial.candidate] = asked.get(trial.candidate, 0) + len(trial.questions)
            strategy.tell(noisy(trial))
    return asked


@pytest.mark.parametrize("test", ["t", "wilcoxon"])
def test_who_is_proven_worse_is_asked_no_further(test: PairedTest) -> None:
    strategy = racing(MANY, test, block=8)
    asked = asked_of(strategy)
    assert max(asked[MANY.compose((name,))] for name in "abcde") <= 16
    assert "f" in strategy.ranking()[0].demonstrations


def test_only_the_best_share_of_a_round_is_tried_again() -> None:
    strategy = racing(MANY, block=8, carry_over=0.5)
    second_round = {candidate for candidate in asked_of(strategy) if len(candidate) == 2}
    assert len(second_round) == 2


def test_a_round_that_its_incumbent_wins_ends_the_search() -> None:
    strategy = racing()
    drive(strategy, SPACE, lambda candidate: -float(len(candidate)))
    assert strategy.ranking()[0] == SPACE.compose(())
