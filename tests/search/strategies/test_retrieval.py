"""Retrieval baselines: by nearness, and by nearness with diversity."""

import numpy as np
import pytest

from search.problem.space import SearchSpace
from search.strategies.parts.embedding import Embedding
from search.strategies.retrieval import Retrieval, likeliest, nearest
from tests.kits.strategy_kit import MakeStrategy, StrategyKit, drive


def embedding(space: SearchSpace) -> Embedding:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(len(space.pool) + len(space.questions), 5))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Embedding(rows[: len(space.pool)], rows[len(space.pool) :])


class TestSimilar(StrategyKit):
    finds = None

    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: Retrieval(space, nearest(space, embedding(space)))


class TestDiverse(StrategyKit):
    finds = None

    @pytest.fixture
    def make(self) -> MakeStrategy:
        return lambda space: Retrieval(space, likeliest(space, embedding(space)))


TWINS = SearchSpace((), ("a", "twin of a", "b", "far"), ("q",), 0, 2)
ROWS = np.array([[1.0, 0.1, 0], [1.0, 0.1, 0.001], [0.8, -0.6, 0], [-1, 0, 0]])
NEAR = Embedding(ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True), np.array([[1.0, 0.0, 0.0]]))


def test_the_nearest_are_taken_and_the_nearest_of_all_stands_last() -> None:
    assert drive(Retrieval(TWINS, nearest(TWINS, NEAR)), TWINS)[1].candidate.demonstrations == ("twin of a", "a")


def test_of_twins_only_one_is_taken_where_diversity_counts() -> None:
    assert set(drive(Retrieval(TWINS, likeliest(TWINS, NEAR)), TWINS)[1].candidate.demonstrations) & {"b"} == {"b"}
