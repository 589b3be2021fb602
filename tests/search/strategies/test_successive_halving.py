"""Greedy rounds by successive halving."""

from dataclasses import replace

import pytest

from configs.schema.strategy import SuccessiveHalvingConfig
from search.problem.space import SearchSpace
from search.strategies.successive_halving import SuccessiveHalving
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive


def halving(space: SearchSpace = SPACE, evaluations: int = 90) -> SuccessiveHalving:
    config = SuccessiveHalvingConfig(kind="successive_halving", evaluations=evaluations)
    return SuccessiveHalving(space, config, 0)


class TestSuccessiveHalving(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return halving


def test_it_keeps_to_its_budget_where_that_is_not_tiny() -> None:
    space = replace(SPACE, questions=tuple(f"q{number}" for number in range(80)))
    asked = sum(len(trial.questions) for trial in drive(halving(space, 500), space))
    assert 350 <= asked <= 500
