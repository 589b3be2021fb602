"""Means over questions and random draws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.statistics.draws import Draws, difference_of_draws, holm, mean_of_draws, share_of_gap
from search.statistics.estimates import estimate, paired_difference

SCORES = st.lists(st.floats(1, 10), min_size=2, max_size=12)


def _named(values: list[float]) -> dict[str, float]:
    return {f"q{at}": value for at, value in enumerate(values)}


@given(SCORES)
def test_one_draw_is_an_ordinary_mean(values: list[float]) -> None:
    ours, usual = mean_of_draws({0: _named(values)}, 0.95), estimate(values, 0.95)
    assert ours is not None
    assert usual is not None
    assert (ours.mean, ours.low, ours.high, ours.n) == pytest.approx((usual.mean, usual.low, usual.high, usual.n))


@given(st.lists(st.tuples(st.floats(1, 10), st.floats(1, 10)), min_size=2, max_size=12))
def test_conditions_without_draws_are_compared_as_pairs(pairs: list[tuple[float, float]]) -> None:
    one, other = _named([pair[0] for pair in pairs]), _named([pair[1] for pair in pairs])
    ours, usual = difference_of_draws({0: one}, {0: other}, 0.95), paired_difference(one, other, 0.95)
    assert ours is not None
    assert usual is not None
    assert ours.estimate.low == pytest.approx(usual.low)
    assert ours.estimate.high == pytest.approx(usual.high)


def test_draws_that_agree_do_not_widen_the_interval_and_draws_that_differ_do() -> None:
    rng = np.random.default_rng(1)
    questions = rng.normal(6, 1, 40)
    equal: Draws = {d: _named(list(questions + rng.normal(0, 0.1, 40))) for d in range(4)}
    apart: Draws = {d: _named(list(questions + shift)) for d, shift in enumerate((-1.0, -0.3, 0.3, 1.0))}
    narrow, wide = mean_of_draws(equal, 0.95), mean_of_draws(apart, 0.95)
    assert narrow is not None
    assert wide is not None
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


@pytest.mark.parametrize("spread", [0.0, 0.2, 1.0])
def test_an_interval_over_questions_and_draws_holds_the_truth_as_often_as_it_says(spread: float) -> None:
    """Three draws, which differ not at all, as little as questions do on average, and much more."""
    rng, hits, trials = np.random.default_rng(7), 0, 1000
    for _ in range(trials):
        of_draws, of_questions = rng.normal(0, spread, (3, 1)), rng.normal(0, 1, (1, 40))
        table = 6 + of_draws + of_questions + rng.normal(0, 1, (3, 40))
        found = mean_of_draws({at: _named(list(row)) for at, row in enumerate(table)}, 0.95)
        assert found is not None
        hits += found.low <= 6 <= found.high
    assert 0.93 <= hits / trials <= 0.97


@given(st.integers(2, 4), st.floats(0, 2), st.integers(0, 1000))
def test_a_difference_has_a_p_value_below_a_level_where_its_interval_leaves_nought_out(
    draws: int, spread: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    first: Draws = {d: _named(list(rng.normal(0, spread) + rng.normal(0.4, 1, 9))) for d in range(draws)}
    second: Draws = {0: _named(list(rng.normal(0, 1, 9)))}
    found = difference_of_draws(first, second, 0.95)
    assert found is not None
    assert (found.p_value < 0.05) == (not found.estimate.low <= 0 <= found.estimate.high)


YES_OR_NO = (0.0, 1.0)
ANSWERS = st.integers(1, 3).flatmap(
    lambda draws: st.lists(st.lists(st.sampled_from([0.0, 1.0]), min_size=draws, max_size=draws), min_size=2)
)


@pytest.mark.parametrize("draws", [1, 3])
@pytest.mark.parametrize(("score", "low", "high"), [(0.0, 0.0, 0.161), (1.0, 0.839, 1.0)])
def test_scores_that_are_all_at_one_end_of_the_scale_leave_the_interval_a_width(
    draws: int, score: float, low: float, high: float
) -> None:
    found = mean_of_draws({d: _named([score] * 20) for d in range(draws)}, 0.95, bounds=YES_OR_NO)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-3)  # Wilson 1927


@given(ANSWERS)
def test_an_interval_over_draws_is_never_narrower_than_that_of_the_questions_averages(table: list[list[float]]) -> None:
    draws: Draws = {d: _named([row[d] for row in table]) for d in range(len(table[0]))}
    found = mean_of_draws(draws, 0.95, bounds=YES_OR_NO)
    averages = estimate([sum(row) / len(row) for row in table], 0.95, bounds=YES_OR_NO)
    assert found is not None
    assert averages is not None
    assert 0 <= found.low <= averages.low + 1e-9
    assert 1 >= found.high >= averages.high - 1e-9


@given(ANSWERS)
def test_the_p_value_of_yes_or_no_answers_agrees_with_their_interval(table: list[list[float]]) -> None:
    first: Draws = {d: _named([row[d] for row in table]) for d in range(len(table[0]))}
    found = difference_of_draws(first, {0: _named([0.0] * len(table))}, 0.95, YES_OR_NO)
    assert found is not None
    assert (found.p_value < 0.05) == (not found.estimate.low <= 0 <= found.estimate.high)


def test_equal_differences_are_no_proof_beyond_what_the_scale_allows() -> None:
    first, second = {0: _named([5.1] * 10)}, {0: _named([5.0] * 10)}
    on_a_scale = difference_of_draws(first, second, 0.95, (1.0, 10.0))
    without = difference_of_draws(first, second, 0.95)
    assert on_a_scale is not None
    assert without is not None
    assert on_a_scale.estimate.low < 0 < on_a_scale.estimate.high
    assert on_a_scale.p_value > 0.05
    assert without.p_value == 1


def test_a_gap_of_equal_scores_leaves_its_share_a_width() -> None:
    base, target = {0: _named([0.0] * 10)}, {0: _named([1.0] * 10)}
    found = share_of_gap(target, base, target, 0.95, YES_OR_NO)
    assert found is not None
    assert found.low < 0.5 < found.mean < found.high


def test_what_two_conditions_share_by_draw_cancels_in_their_difference() -> None:
    rng = np.random.default_rng(3)
    draws = {d: rng.normal(6, 2) + rng.normal(0, 1, 30) for d in range(3)}
    first: Draws = {d: _named(list(values + 0.5 + rng.normal(0, 1e-6, 30))) for d, values in draws.items()}
    second: Draws = {d: _named(list(values)) for d, values in draws.items()}
    found = difference_of_draws(first, second, 0.95)
    assert found is not None
    assert found.estimate.mean == pytest.approx(0.5)
    assert found.estimate.high - found.estimate.low < 1e-5
    assert found.p_value < 1e-9


def test_a_question_that_failed_in_one_draw_is_in_no_mean() -> None:
    found = mean_of_draws({1: {"a": 1.0, "b": 9.0}, 2: {"a": 3.0}}, 0.95)
    assert found is not None
    assert (found.mean, found.n) == (2.0, 1)


def test_the_share_of_a_gap_is_one_at_its_end_and_nought_at_its_start() -> None:
    rng = np.random.default_rng(5)
    base: Draws = {0: _named(list(rng.normal(4, 1, 50)))}
    target: Draws = {0: {name: score + 3 + rng.normal(0, 0.5) for name, score in base[0].items()}}
    at_end, at_start = share_of_gap(target, base, target, 0.95), share_of_gap(base, base, target, 0.95)
    assert at_end is not None
    assert at_start is not None
    assert at_end.mean == pytest.approx(1)
    assert at_start.mean == pytest.approx(0)
    half: Draws = {0: {name: score + 1.5 for name, score in base[0].items()}}
    middle = share_of_gap(half, base, target, 0.95)
    assert middle is not None
    assert middle.low < 0.5 < middle.high
    assert middle.high - middle.low < 0.2


def test_a_gap_that_is_not_clear_gives_a_share_without_bounds() -> None:
    rng = np.random.default_rng(6)
    base: Draws = {0: _named(list(rng.normal(5, 2, 12)))}
    target: Draws = {0: _named(list(rng.normal(5, 2, 12)))}
    found = share_of_gap(target, base, target, 0.95)
    assert found is not None
    assert math.isinf(found.high)


def test_holm_rejects_step_by_step_and_stops_at_the_first_that_fails() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05) == [True, False, False, True]  # Holm 1979, by hand
    assert holm([0.2, 0.001], 0.05) == [False, True]
    assert holm([], 0.05) == []
