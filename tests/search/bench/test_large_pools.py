"""The load of strategies with large pools and benchmarks."""

import subprocess
import sys
from pathlib import Path

import pytest

from search.bench.large_pools import decisions, made_material, made_scorer
from search.bench.strategy_outcome import config_of
from search.problem.space import SearchSpace
from search.strategies.make import make_strategy

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("name", ["screening", "optuna_tpe"])
def test_a_pool_and_questions_beyond_what_a_model_can_hold_are_searched_within_the_budget(
    name: str, tmp_path: Path
) -> None:
    material = made_material(1500, 500, 10, 0)
    config = config_of(name, SearchSpace((), ("d0",), tuple(f"q{n}" for n in range(500)), 0, 2), 500 + 2000)
    space = material.space(config)
    strategy = make_strategy(config, space, 0, material, tmp_path)
    trials = decisions(strategy, space, made_scorer(space, 0))
    assert len(trials) > 100
    assert strategy.planned() <= 500 + 2000 + 2 * 8  # winner and runner-up meet what they lack of their last block
    assert strategy.ranking()


def test_a_resumed_search_of_a_large_pool_walks_the_same_path(tmp_path: Path) -> None:
    material = made_material(1500, 6, 10, 0)
    config = config_of("screening", SearchSpace((), ("d0",), tuple(f"q{n}" for n in range(6)), 0, 2), 200)
    space = material.space(config)
    rankings = []
    for _ in range(2):
        strategy = make_strategy(config, space, 3, material, tmp_path)
        decisions(strategy, space, made_scorer(space, 0))
        rankings.append(strategy.ranking())
    assert rankings[0] == rankings[1]


def test_the_command_prints_memory_and_time() -> None:
    command = [sys.executable, "-m", "search.bench.large_pools", "--pool", "1200", "--questions", "8"]
    done = subprocess.run([*command, "--evaluations", "64"], capture_output=True, text=True, check=True)
    assert "| screening | 1,200 | 8 | 9 |" in done.stdout
