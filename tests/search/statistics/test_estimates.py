"""Intervals and paired differences."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from search.statistics.estimates import estimate, paired_difference, unpaired_difference

scores = st.lists(st.floats(1, 10), min_size=2, max_size=80)


@given(scores=scores, confidence=st.floats(0.5, 0.99))
def test_an_estimate_is_students_interval(scores: list[float], confidence: float) -> None:
    ours = estimate(scores, confidence)
    assert ours is not None
    assert ours.mean == pytest.approx(np.mean(scores))
    if np.ptp(scores) > 1e-6:
        theirs = stats.ttest_1samp(scores, 0).confidence_interval(confidence)
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


@given(scores=scores, shift=st.floats(-3, 3))
def test_a_paired_difference_knows_nothing_of_how_hard_questions_are(scores: list[float], shift: float) -> None:
    base = {f"q{number}": score for number, score in enumerate(scores)}
    moved = {question: score + shift for question, score in base.items()}
    difference = paired_difference(moved, base, 0.95)
    assert difference is not None
    assert difference.mean == pytest.approx(shift, abs=1e-9)
    assert difference.high - difference.low == pytest.approx(0, abs=1e-8)


@given(first=scores, second=scores, confidence=st.floats(0.5, 0.99))
def test_a_difference_between_other_questions_is_welchs_interval(
    first: list[float], second: list[float], confidence: float
) -> None:
    ours = unpaired_difference(first, second, confidence)
    assert ours is not None
    assert ours.mean == pytest.approx(np.mean(first) - np.mean(second), abs=1e-9)
    assert ours.n == len(first) + len(second)
    if min(np.ptp(first), np.ptp(second)) > 1e-6:
        theirs = stats.ttest_ind(first, second, equal_var=False).confidence_interval(confidence)
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_scores_too_large_to_be_squared_have_no_finite_interval_and_very_small_ones_have_theirs() -> None:
    large = unpaired_difference([1e160, -1e160, 3e160], [1, 2, 3], 0.95)
    assert large is not None
    assert (large.low, large.high) == (-math.inf, math.inf)
    first, second = [1.0, 2.0, 4.0], [0.0, 0.0, 3.0]
    small = unpaired_difference([value * 1e-100 for value in first], [value * 1e-100 for value in second], 0.95)
    usual = unpaired_difference(first, second, 0.95)
    assert small is not None
    assert usual is not None
    assert (small.low, small.high) == pytest.approx((usual.low * 1e-100, usual.high * 1e-100), rel=1e-9)


def test_only_questions_that_both_answered_are_compared() -> None:
    difference = paired_difference({"a": 5, "b": 9}, {"a": 3, "c": 1}, 0.95)
    assert difference is not None
    assert (difference.mean, difference.n) == (2, 1)


def test_one_question_has_no_finite_interval() -> None:
    single = estimate([4.0], 0.95)
    assert single is not None
    assert (single.low, single.high) == (-math.inf, math.inf)


def test_nothing_scored_is_no_estimate() -> None:
    assert estimate([], 0.95) is None
    assert paired_difference({"a": 1}, {"b": 1}, 0.95) is None
    assert unpaired_difference([1.0, 2.0], [], 0.95) is None


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    covered = 0
    for _ in range(600):
        value = estimate(list(draw.normal(5, 2, 40)), 0.95)
        assert value is not None
        covered += value.low <= 5 <= value.high
    assert 0.92 < covered / 600 < 0.98


@given(first=st.lists(st.floats(1, 10), min_size=1), second=st.lists(st.floats(1, 10), min_size=1))
def test_a_difference_on_a_bounded_scale_has_an_interval_inside_it(first: list[float], second: list[float]) -> None:
    difference = unpaired_difference(first, second, 0.95, (1.0, 10.0))
    assert difference is not None
    assert -9 <= difference.low <= difference.high <= 9
