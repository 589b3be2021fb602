"""Local search."""

from dataclasses import replace

import pytest

from configs.schema.strategy import LocalSearchConfig
from search.problem.space import SearchSpace
from search.strategies.local_search import LocalSearch
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive


def local(space: SearchSpace = SPACE, start: tuple[str, ...] = (), evaluations: int = 300) -> LocalSearch:
    config = LocalSearchConfig(
        kind="local_search", start=start, block=2, evaluations=evaluations, neighbours=10, patience=6
    )
    return LocalSearch(space, config, 0)


class TestLocalSearch(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return local


def test_it_starts_from_the_set_it_is_given() -> None:
    trials = drive(local(start=("a", "h")), SPACE)
    assert SPACE.added(trials[1].candidate) == ("a", "h")
    near = [SPACE.added(trial.candidate) for trial in trials[2:12]]
    assert all(len({"a", "h"} & set(added)) >= 1 for added in near)


def test_it_keeps_to_its_budget() -> None:
    trials = drive(local(evaluations=60), SPACE)
    assert sum(len(trial.questions) for trial in trials) <= 60


def test_it_leaves_the_base_prompt_where_several_demonstrations_are_wanted_at_once() -> None:
    strategy = local(replace(SPACE, min_added=2))
    drive(strategy, SPACE)
    assert SPACE.added(strategy.ranking()[0]) == ("c", "h")
