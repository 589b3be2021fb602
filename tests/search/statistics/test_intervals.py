"""Intervals that know the ends of their scale."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from search.bench.coverage import POPULATIONS, covered
from search.statistics.intervals import mean_interval

SCALE = (1.0, 10.0)
YES_OR_NO = (0.0, 1.0)


@given(scores=st.lists(st.integers(1, 10), min_size=1, max_size=60), confidence=st.floats(0.5, 0.99))
def test_an_interval_on_a_known_scale_stays_inside_it_holds_the_mean_and_has_width(
    scores: list[int], confidence: float
) -> None:
    low, high = mean_interval(np.array(scores, dtype=float), confidence, SCALE)
    assert 1 <= low <= np.mean(scores) + 1e-9
    assert np.mean(scores) - 1e-9 <= high <= 10
    assert low < high


@given(yes=st.integers(0, 40), no=st.integers(0, 40))
def test_yes_or_no_scores_have_wilsons_interval(yes: int, no: int) -> None:
    if yes + no > 1:
        found = mean_interval(np.array([1.0] * yes + [0.0] * no), 0.95, YES_OR_NO)
        theirs = binomtest(yes, yes + no).proportion_ci(0.95, "wilson")
        assert found == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_ratings_away_from_the_ends_keep_students_interval() -> None:
    scores = np.array([3.0, 5.0, 6.0, 6.0, 7.0, 4.0, 8.0, 5.0])
    assert mean_interval(scores, 0.95, SCALE) == mean_interval(scores, 0.95, None)


def test_a_single_score_may_be_anything_on_its_scale() -> None:
    assert mean_interval(np.array([4.0]), 0.95, SCALE) == SCALE
    assert mean_interval(np.array([4.0]), 0.95, None) == (-math.inf, math.inf)


def test_a_score_off_the_scale_makes_the_scale_unknown() -> None:
    scores = np.array([12.0, 11.0, 9.0])
    assert mean_interval(scores, 0.95, SCALE) == mean_interval(scores, 0.95, None)


@pytest.mark.parametrize("count", [10, 20, 48])
@pytest.mark.parametrize("name", POPULATIONS)
def test_few_scores_of_every_kind_are_covered_where_students_interval_fails(name: str, count: int) -> None:
    assert covered(POPULATIONS[name], count, 1500, knows_bounds=True) > 0.9


@pytest.mark.parametrize("count", [20, 48])
@pytest.mark.parametrize("name", POPULATIONS)
def test_no_scores_are_covered_much_more_often_than_promised(name: str, count: int) -> None:
    assert covered(POPULATIONS[name], count, 1500, knows_bounds=True) < 0.98


def test_students_interval_is_what_fails_there() -> None:
    assert covered(POPULATIONS["yes 5 %"], 10, 1500, knows_bounds=False) < 0.5


@pytest.mark.parametrize("count", [10, 20, 40])
def test_yes_or_no_scores_are_covered_as_often_as_promised_on_average_over_rare_shares(count: int) -> None:
    """For a single share the coverage of any such interval jumps, since so few results are possible."""
    counts = np.arange(count + 1)
    ends = [mean_interval(np.array([1.0] * yes + [0.0] * (count - yes)), 0.95, YES_OR_NO) for yes in counts]
    shares = np.linspace(0.02, 0.98, 97)
    covering = [
        sum(
            math.comb(count, yes) * share**yes * (1 - share) ** (count - yes)
            for yes, (low, high) in zip(counts, ends, strict=True)
            if low <= share <= high
        )
        for share in shares
    ]
    assert 0.94 < float(np.mean(covering)) < 0.97
    assert min(covering) > 0.89
