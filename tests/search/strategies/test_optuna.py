"""Optuna as a guide."""

from typing import Literal

import pytest

from configs.schema import OptunaConfig
from search.candidate import Candidate
from search.space import SearchSpace
from search.strategies.optuna import OptunaSearch
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive, worth

Sampler = Literal["gp", "tpe", "nsga2"]


def search(
    space: SearchSpace = SPACE, sampler: Sampler = "gp", trials: int = 20, warm: bool = True, seed: int = 0
) -> OptunaSearch:
    config = OptunaConfig(kind="optuna", max_demonstrations=2, sampler=sampler, trials=trials, warm_start=warm)
    return OptunaSearch(space, config, seed)


class TestGaussianProcess(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: search(space, trials=12)


class TestParzenEstimator(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: search(space, "tpe", 40)


class TestGenetic(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: search(space, "nsga2", 60)


class TestWithoutWarmStart(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: search(space, "tpe", 60, warm=False)


def test_a_warm_start_tries_every_demonstration_alone_then_the_best_together() -> None:
    trials = drive(search(trials=10), SPACE)
    added = [SPACE.added(trial.candidate) for trial in trials]
    assert added[1:9] == [(name,) for name in "abcdefgh"]
    assert added[9:11] == [("c", "h"), ("h", "c")]


def test_a_space_smaller_than_the_budget_is_searched_whole() -> None:
    space = SearchSpace((), ("a", "b", "c"), ("q",), 0, 2)
    added = {space.added(trial.candidate) for trial in drive(search(space, "tpe", 500), space)}
    assert added == {(), ("a",), ("b",), ("c",), *[(x, y) for x in "abc" for y in "abc" if x != y]}


def test_candidates_that_cannot_be_scored_do_not_mislead_it() -> None:
    strategy = search(sampler="tpe", trials=40)
    drive(strategy, SPACE, lambda candidate: None if "c" in candidate.demonstrations else worth(candidate))
    assert "c" not in strategy.ranking()[0].demonstrations
    assert worth(strategy.ranking()[0]) == worth(SPACE.compose(("h", "g")))


def test_four_slots_of_forty_come_near_the_best_in_sixty_trials() -> None:
    space = SearchSpace((), tuple(f"d{number:02}" for number in range(40)), ("q",), 0, 4)

    def value(candidate: Candidate) -> float:
        return sum(int(name[1:]) ** 2 for name in candidate.demonstrations) / 1000

    config = OptunaConfig(kind="optuna", sampler="tpe", max_demonstrations=4, trials=60)
    guided = OptunaSearch(space, config, 0)
    drive(guided, space, value)
    assert value(guided.ranking()[0]) > 4.5  # the best there is: 5.63


@pytest.mark.parametrize("seed", range(8))
def test_the_base_prompt_is_never_proposed_as_something_new(seed: int) -> None:
    space = SearchSpace((), tuple("abcdefgh"), ("q",), 0, 1)
    trials = drive(search(space, "tpe", 8, warm=False, seed=seed), space, window=6)
    assert [trial.candidate for trial in trials].count(space.compose(())) == 1
