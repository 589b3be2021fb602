"""Where one curve overtakes another."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.statistics.crossing import BELOW, BEYOND, Crossing, Floats, crossing

COUNTS = (3, 10, 30, 100)


def _crossing(gains: tuple[float, ...], noise: float) -> Crossing:
    """Of three draws and twenty questions; the second curve lies above the first by `gains`."""
    random = np.random.default_rng(0)
    first: Floats = random.normal(5, 1, (3, len(gains), 20))
    second = first + np.array(gains)[None, :, None] + random.normal(0, noise, first.shape)
    return crossing(COUNTS, first, second, 0.95)


def test_a_crossing_lies_between_two_n_on_a_logarithmic_axis() -> None:
    found = _crossing((-2, -1, 1, 2), noise=0)
    assert found.at == pytest.approx(math.sqrt(10 * 30))
    assert found.low == pytest.approx(found.at) == found.high


def test_noise_widens_the_interval_and_it_holds_the_true_crossing() -> None:
    found = _crossing((-1, -0.3, 0.3, 1), noise=1)
    assert found.low < math.sqrt(10 * 30) < found.high
    assert found.low < found.at < found.high


def test_a_curve_that_lies_above_everywhere_crosses_below_the_range_and_one_that_does_not_beyond() -> None:
    above, under = _crossing((2, 2, 2, 2), noise=0.1), _crossing((-2, -2, -2, -2), noise=0.1)
    assert (above.at, above.low, above.high) == (BELOW, BELOW, BELOW)
    assert (under.at, under.low, under.high) == (BEYOND, BEYOND, BEYOND)
    assert not above.is_inside


def test_an_interval_may_reach_outside_the_range() -> None:
    found = _crossing((-1, -1, -0.5, 0.05), noise=1)
    assert found.high == BEYOND
    assert BELOW < found.low < BEYOND


@given(st.lists(st.floats(-3, 3).filter(lambda gain: abs(gain) > 0.01), min_size=4, max_size=4))
def test_the_crossing_is_the_last_change_to_a_gain(gains: list[float]) -> None:
    random = np.random.default_rng(1)
    first: Floats = random.normal(5, 1, (2, 4, 5))
    found = crossing(COUNTS, first, first + np.array(gains)[None, :, None], 0.95)
    if gains[-1] < 0:
        assert found.at == BEYOND
    elif min(gains) > 0:
        assert found.at == BELOW
    else:
        behind = max(at for at, gain in enumerate(gains) if gain < 0)
        assert COUNTS[behind] <= found.at <= COUNTS[behind + 1]
