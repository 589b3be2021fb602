"""Beam search."""

import pytest

from configs.schema.strategy import BeamConfig
from search.problem.candidate import Candidate
from search.problem.space import SearchSpace
from search.strategies.beam import Beam
from tests.kits.strategy_kit import SPACE, MakeStrategy, StrategyKit, drive


def beam(space: SearchSpace = SPACE, width: int = 3) -> Beam:
    return Beam(space, BeamConfig(kind="beam", width=width, block=2, max_demonstrations=2), 0)


class TestBeam(StrategyKit):
    @pytest.fixture
    def make(self) -> MakeStrategy:
        return beam


def together(candidate: Candidate) -> float:
    """`a` is best alone; `b` and `c` are best together."""
    names = set(candidate.demonstrations)
    return 2.0 * ({"b", "c"} <= names) + 1.0 * ("a" in names) + 0.6 * ("b" in names) + 0.5 * ("c" in names)


def test_a_pair_that_only_works_together_is_found_by_a_wider_beam() -> None:
    narrow, wide = beam(width=1), beam(width=3)
    drive(narrow, SPACE, together)
    drive(wide, SPACE, together)
    assert set(SPACE.added(narrow.ranking()[0])) == {"a", "b"}
    assert set(SPACE.added(wide.ranking()[0])) == {"b", "c"}
