"""A linear bandit over sets."""

from dataclasses import replace

import pytest

from configs.schema.case import CaseConfig
from search.bench.landscape import Landscape
from search.bench.landscapes import LANDSCAPES
from search.bench.simulation import simulate
from search.problem.space import SearchSpace
from search.strategies.case import CaseSearch
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive


def case(space: SearchSpace = SPACE, evaluations: int = 120, seed: int = 0) -> CaseSearch:
    return CaseSearch(space, CaseConfig(kind="case", evaluations=evaluations), seed)


class TestCase(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return case


def test_it_spends_its_budget_and_no_more() -> None:
    space = replace(SPACE, questions=tuple(f"q{number}" for number in range(80)))
    asked = sum(len(trial.questions) for trial in drive(case(space, 500), space))
    assert 490 <= asked <= 500


def test_the_demonstration_that_decides_is_found() -> None:
    landscape = Landscape(LANDSCAPES["decisive"], 3, pool=30)
    space = landscape.space(3)
    found = simulate(case(space, 1500), landscape, space)
    assert found.found_truth > found.base_truth + 0.4


def test_another_seed_asks_other_things() -> None:
    assert drive(case(seed=0), SPACE) != drive(case(seed=1), SPACE)
