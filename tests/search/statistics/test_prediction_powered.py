"""A mean with a cheap judge's scores as control variate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.bench.prediction_powered import table
from search.statistics.estimates import estimate
from search.statistics.prediction_powered import prediction_powered


def _by_name(values: np.ndarray) -> dict[str, float]:
    return {f"q{place}": float(value) for place, value in enumerate(values)}


def _pair(correlation: float, seed: int, count: int = 40, more: int = 120) -> tuple[dict[str, float], dict[str, float]]:
    common, own = np.random.default_rng(seed).normal(size=(2, count + more))
    return _by_name(common[:count]), _by_name(correlation * common + (1 - correlation**2) ** 0.5 * own)


def test_a_judge_that_agrees_narrows_the_interval_and_moves_the_mean_by_what_its_own_questions_were_luckier() -> None:
    judged, screened = _pair(0.9, 3)
    powered = prediction_powered(judged, screened, 0.95)
    assert powered is not None
    assert powered.width < 0.75
    luck = np.mean([screened[name] for name in judged]) - np.mean([*screened.values()][40:])
    assert powered.mean.mean == pytest.approx(powered.plain.mean - powered.weight * luck)
    assert (powered.mean.n, powered.further) == (40, 120)


@given(st.integers(0, 50), st.floats(0.01, 100), st.floats(-50, 50))
def test_the_cheap_judges_scale_does_not_matter(seed: int, unit: float, zero: float) -> None:
    judged, screened = _pair(0.8, seed)
    first = prediction_powered(judged, screened, 0.95)
    second = prediction_powered(judged, {name: unit * value + zero for name, value in screened.items()}, 0.95)
    assert first is not None
    assert second is not None
    assert (second.mean.low, second.mean.high) == pytest.approx((first.mean.low, first.mean.high))


def test_a_judge_that_says_nothing_or_the_opposite_has_no_weight() -> None:
    judged, screened = _pair(0.9, 4)
    for cheap in (dict.fromkeys(screened, 3.0), {name: -value for name, value in screened.items()}):
        powered = prediction_powered(judged, cheap, 0.95)
        assert powered is not None
        assert (powered.weight, powered.width, powered.mean) == (0.0, 1.0, powered.plain)


def test_where_students_t_does_not_hold_the_plain_interval_stays() -> None:
    screened = _by_name(np.random.default_rng(0).normal(size=60))
    judged = {f"q{place}": float(place == 3) for place in range(20)}
    powered = prediction_powered(judged, screened, 0.95, (-1.0, 1.0))
    assert powered is not None
    assert powered.mean == estimate([*judged.values()], 0.95, bounds=(-1.0, 1.0))
    assert powered.weight == 0


@pytest.mark.parametrize("failed", [1, 20])
def test_a_cheap_judge_that_failed_on_some_questions_still_narrows_the_interval(failed: int) -> None:
    judged, screened = _pair(0.9, 3)
    whole = prediction_powered(judged, screened, 0.95)
    powered = prediction_powered(judged, {name: screened[name] for name in [*screened][failed:]}, 0.95)
    assert powered is not None
    assert whole is not None
    assert (powered.common, powered.mean.n, powered.plain) == (40 - failed, 40, whole.plain)
    assert whole.width < powered.width < 0.9
    assert powered.unused is None


@pytest.mark.parametrize("failed", [0, 20])
def test_with_failures_intervals_hold_the_truth_as_often(failed: int) -> None:
    held, draw = 0, np.random.default_rng(failed)
    for _ in range(400):
        common, own = draw.normal(size=(2, 160))
        screened = _by_name(0.8 * common + 0.6 * own)
        made = {name: screened[name] for name in [*screened][failed:]}
        powered = prediction_powered(_by_name(common[:40]), made, 0.95)
        assert powered is not None
        held += powered.mean.low <= 0 <= powered.mean.high
    assert 0.92 < held / 400 < 0.98


def test_where_it_is_not_used_the_reason_is_given_and_no_correlation_stands_for_one_that_was_not_computed() -> None:
    judged, screened = _pair(0.9, 4)
    names = [*screened]
    ends = {name: float(name == "q3") for name in judged}
    cases = [
        (judged, {name: screened[name] for name in names[33:]}, "few in common", True),
        (judged, {name: screened[name] for name in names[:47]}, "few further", False),
        (ends, screened, "not Student's", False),
        (judged, {name: -value for name, value in screened.items()}, "no correlation", False),
        (judged, dict.fromkeys(screened, 3.0), "no correlation", True),
    ]
    for values, cheap, why, unknown in cases:
        powered = prediction_powered(values, cheap, 0.95, (-1.0, 1.0) if values is ends else None)
        assert powered is not None
        assert (powered.unused, powered.correlation is None, powered.weight) == (why, unknown, 0.0)


def test_a_judge_without_questions_of_its_own_or_in_common_adds_nothing() -> None:
    judged, screened = _pair(0.9, 5)
    assert prediction_powered(judged, {name: screened[name] for name in judged}, 0.95) is None
    assert prediction_powered(judged, {"other": 1.0, "another": 2.0}, 0.95) is None
    assert prediction_powered({}, screened, 0.95) is None


def test_intervals_hold_the_truth_whatever_the_correlation_and_a_useless_judge_is_mostly_unused() -> None:
    rows = [line.split(" | ") for line in table([20], [3], [0.0, 0.8], 400).splitlines()[2:]]
    for row in rows:
        assert 92 < float(row[4].removesuffix(" %")) < 98
    useless, useful = ([float(width) for width in row[5].split(", ")] for row in rows)
    assert useless[0] == pytest.approx(1, abs=0.02)
    assert useful[0] < 0.85
    assert float(rows[0][6].split()[0]) > 70
