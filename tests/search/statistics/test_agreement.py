import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.statistics.agreement import krippendorff_alpha, rank_agreement, table, with_interval
from search.statistics.separation import separation

SCORES = st.lists(st.lists(st.floats(0, 10), min_size=3, max_size=3), min_size=2, max_size=12)


def test_alpha_is_that_of_krippendorffs_own_example_for_two_coders() -> None:
    """Krippendorff 2011, section C, nominal data as numbers: the interval metric on it, worked out by hand."""
    first, second = (np.array([row], dtype=float).T for row in ([1, 2, 3, 4], [1, 2, 3, 5]))
    values = np.array([1, 2, 3, 4, 1, 2, 3, 5], dtype=float)
    expected = sum((a - b) ** 2 for a in values for b in values) / (8 * 7)
    assert krippendorff_alpha(first, second) == pytest.approx(1 - (1 / 4) / expected)


@given(SCORES)
def test_a_judge_agrees_with_itself_in_full_and_less_with_one_that_is_milder(rows: list[list[float]]) -> None:
    scores = np.array(rows)
    if np.ptp(scores) > 1e-3:
        assert krippendorff_alpha(scores, scores) == pytest.approx(1)
        assert krippendorff_alpha(scores, scores + 1) < 1
        assert np.isnan(rank_agreement(scores, scores)) or rank_agreement(scores, scores) == pytest.approx(1)


def test_judges_that_rank_candidates_the_other_way_round_have_a_tau_of_minus_one() -> None:
    first = np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]])
    assert rank_agreement(first, -first) == -1
    assert rank_agreement(first, first * 3 + 1) == 1


def test_candidates_are_ranked_on_the_questions_that_they_share() -> None:
    """The second one beats the first where they met; its mean is lower for the hard question that it met alone."""
    scores = np.array([[5.0, 6.0], [np.nan, 1.0]])
    assert rank_agreement(scores, np.array([[2.0, 3.0], [np.nan, 9.0]])) == 1


def test_answers_that_one_judge_has_not_scored_count_for_neither() -> None:
    first = table({("a", "q1"): 1.0, ("a", "q2"): 9.0, ("b", "q1"): 2.0}, ["q1", "q2"], ["a", "b"])
    second = table({("a", "q1"): 1.0, ("b", "q1"): 2.0, ("b", "q2"): 7.0}, ["q1", "q2"], ["a", "b"])
    assert krippendorff_alpha(first, second) == pytest.approx(1)
    assert rank_agreement(first, second) == 1


def test_an_interval_holds_the_figure_and_is_the_same_again() -> None:
    random = np.random.default_rng(1)
    first = random.normal(size=(60, 4)) + np.arange(4)
    second = first + random.normal(size=(60, 4))
    figures = [with_interval(krippendorff_alpha, first, second, 0.95) for _ in range(2)]
    assert figures[0] == figures[1]
    assert figures[0].low < figures[0].value < figures[0].high


def test_what_cannot_be_told_is_null() -> None:
    alone = np.array([[1.0, 1.0]])
    figure = with_interval(krippendorff_alpha, alone, alone, 0.95)
    assert figure.to_json() == {"value": None, "low": None, "high": None}


def test_scores_that_tell_good_from_bad_on_few_questions_are_no_certainty() -> None:
    good, bad = ([(f"q{number}", score) for number in range(5)] for score in (9.0, 2.0))
    figure = separation(good, bad, 0.95)
    assert (figure.value, figure.high) == (1.0, 1.0)
    assert figure.low == pytest.approx(0.643, abs=0.001)
    assert separation(bad, good, 0.95).high == pytest.approx(1 - figure.low)
    assert separation(good * 20, bad * 20, 0.95) == figure, "more answers to the same questions say nothing new"
    uneven = separation([*good, *good[:1] * 30], [*bad, *bad[:1] * 30], 0.95)
    assert uneven.high - uneven.low > figure.high - figure.low, "many answers to one of them say less"


@given(st.lists(st.integers(1, 10), min_size=1, max_size=9), st.lists(st.integers(1, 10), min_size=1, max_size=9))
def test_separation_is_the_share_of_pairs_in_order_and_inside_its_interval(good: list[int], bad: list[int]) -> None:
    figure = separation([(str(at), x) for at, x in enumerate(good)], [(str(at), x) for at, x in enumerate(bad)], 0.95)
    pairs = [(x > y) + (x == y) / 2 for x in good for y in bad]
    assert figure.value == pytest.approx(sum(pairs) / len(pairs))
    assert 0 <= figure.low <= figure.value <= figure.high <= 1
