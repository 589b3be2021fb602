"""The best set under known effects."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest

from search.statistics.best_set import KnownEffects, neighbours


def effects(loss: float = 0.0, recency: float = 0.3, dilution: float = 0.4, seed: int = 0) -> KnownEffects:
    draw = np.random.default_rng(seed)
    similarity = np.triu(draw.random((7, 7)), 1)
    return KnownEffects(draw.normal(size=7), loss, similarity + similarity.T, recency, dilution)


def anything(chosen: Sequence[int]) -> bool:
    return True


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("recency", [0.3, -0.3])
def test_without_similarity_the_best_set_is_the_best_of_its_size(seed: int, recency: float) -> None:
    known = effects(recency=recency, seed=seed)
    best = known.best_set(required=(), least=1, most=3, fits=anything)
    every = list(permutations(range(7), len(best)))
    assert known.value(best) == pytest.approx(max(known.value(one) for one in every))


@pytest.mark.parametrize(("second", "size"), [(0.8, 2), (0.6, 1)])
def test_a_smaller_set_is_taken_only_where_it_is_worth_clearly_more(second: float, size: int) -> None:
    averaging = KnownEffects(np.array([1.0, second]), 0.0, np.zeros((2, 2)), 0.0, 1.0)  # 0.9 and 0.8 together
    assert len(averaging.best_set(required=(), least=1, most=2, fits=anything)) == size


def test_similarity_drives_similar_demonstrations_apart() -> None:
    known = KnownEffects(np.array([1.0, 0.99, 0.7]), -1.0, np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0.0]]), 0.0, 0.0)
    assert set(known.best_set(required=(), least=2, most=2, fits=anything)) == {0, 2}


def test_what_is_required_is_there_and_what_does_not_fit_is_not() -> None:
    known = effects()
    weakest, strongest = int(known.worth.argmin()), int(known.worth.argmax())
    best = known.best_set(required=(weakest,), least=1, most=3, fits=lambda chosen: strongest not in chosen)
    assert weakest in best
    assert strongest not in best


def test_at_least_as_many_as_are_wanted_even_when_they_harm() -> None:
    known = KnownEffects(-np.ones(5), 0.0, np.zeros((5, 5)), 0.0, 0.0)
    assert len(known.best_set(required=(), least=3, most=4, fits=anything)) == 3


def test_neighbours_exchange_one_or_swap_two() -> None:
    near = neighbours((0, 1), [5, 0, 4, 1, 3, 2, 6])
    assert set(near) == {(5, 1), (4, 1), (3, 1), (2, 1), (0, 5), (0, 4), (0, 3), (0, 2), (1, 0)}
