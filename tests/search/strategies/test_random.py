"""The baseline."""

from dataclasses import replace
from math import perm

import pytest

from configs.schema.strategy import RandomConfig
from search.problem.space import SearchSpace
from search.strategies.random import RandomSearch
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive


def search(space: SearchSpace = SPACE, trials: int = 30, seed: int = 0) -> RandomSearch:
    config = RandomConfig(kind="random", max_demonstrations=2, trials=trials)
    return RandomSearch(space, config, seed)


class TestRandomSearch(StrategyKit):
    finds = None

    @pytest.fixture
    def make(self) -> MakeStrategy:
        return search


def test_it_evaluates_as_many_as_asked_for_besides_the_base() -> None:
    assert len(drive(search(trials=20), SPACE)) == 21


def test_it_ends_when_every_candidate_has_been_tried() -> None:
    assert len(drive(search(trials=10_000), SPACE)) == 1 + perm(8, 1) + perm(8, 2)


def test_another_seed_draws_others() -> None:
    assert drive(search(seed=0), SPACE) != drive(search(seed=1), SPACE)


def test_it_adds_no_fewer_than_the_minimum() -> None:
    space = replace(SPACE, min_added=2)
    assert all(len(trial.candidate) == 4 for trial in drive(search(space), space)[1:])
