"""The mean of a judge's ratings, weighted by their probabilities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.failures import VerdictUnreadable
from evaluators.judge_tools.expected import MOST_OFF_SCALE, expected_score
from evaluators.judge_tools.ratings import MT_BENCH, Winners
from workers.usage import Usage


def test_the_score_is_the_mean_of_the_ratings_and_the_distribution_is_shown_in_order() -> None:
    score, shown = expected_score({"10": 0.25, "7": 0.5, "8": 0.25, "1": 0.0}, MT_BENCH)
    assert score == pytest.approx(0.25 * 10 + 0.5 * 7 + 0.25 * 8)
    assert shown == {"score": score, "probabilities": {"7": 0.5, "8": 0.25, "10": 0.25}, "off_scale": 0.0}
    assert list(shown["probabilities"]) == ["7", "8", "10"]  # type: ignore[call-overload]


def test_what_lies_off_the_scale_is_shown_and_the_rest_is_weighed_as_a_whole() -> None:
    score, shown = expected_score({"4": 0.4, "6": 0.4}, MT_BENCH)
    assert score == pytest.approx(5.0)
    assert shown["off_scale"] == pytest.approx(0.2)


def test_too_much_off_the_scale_is_a_failure_that_is_paid_for_and_says_how_much() -> None:
    with pytest.raises(VerdictUnreadable, match="60% of the judge's probability lies off its scale") as failed:
        expected_score({"7": 0.4}, MT_BENCH, Usage(1, 10, 0, 1))
    assert failed.value.usage.calls == 1
    with pytest.raises(VerdictUnreadable):
        expected_score({}, MT_BENCH)


def test_a_comparison_is_the_probability_that_ours_is_better() -> None:
    chances = {"A": 0.6, "B": 0.2, "C": 0.2}
    assert expected_score(chances, Winners("A"))[0] == pytest.approx(0.7)
    assert expected_score(chances, Winners("B"))[0] == pytest.approx(0.3)


@given(st.dictionaries(st.sampled_from(MT_BENCH.choices), st.floats(0, 1), min_size=1))
def test_any_distribution_gives_a_score_on_the_scale_or_is_a_failure(weights: dict[str, float]) -> None:
    total = max(1.0, sum(weights.values()))
    chances = {rating: weight / total for rating, weight in weights.items()}
    if sum(chances.values()) < 1 - MOST_OFF_SCALE - 1e-9:
        with pytest.raises(VerdictUnreadable):
            expected_score(chances, MT_BENCH)
    elif sum(chances.values()) > 1 - MOST_OFF_SCALE + 1e-9:
        assert MT_BENCH.low - 1e-9 <= expected_score(chances, MT_BENCH)[0] <= MT_BENCH.high + 1e-9
