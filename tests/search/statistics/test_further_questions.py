"""How many more questions would tell whether a gain is one."""

import math
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.statistics.further_questions import GainBelief

NORMAL = NormalDist()


@given(st.floats(0.51, 0.9), st.floats(0.05, 2), st.integers(0, 200), st.floats(0.5, 3))
def test_so_many_questions_that_confirm_the_expected_gain_are_just_enough(
    probability: float, before: float, told: int, spread: float
) -> None:
    belief = GainBelief(probability, before, told, spread)
    count = belief.questions_to_decide(0.95)
    assert count is not None

    def after(questions: int) -> float:
        return NORMAL.cdf(belief.mean * math.sqrt(before**-2 + (told + questions) / spread**2))

    assert after(0) == pytest.approx(probability)
    assert after(count) >= 0.95 - 1e-9
    assert after(count - 1) < 0.95 + 1e-9


@pytest.mark.parametrize("probability", [0.97, 0.5, 0.3, 0.0, 1.0])
def test_none_are_named_where_it_is_decided_or_no_gain_is_expected(probability: float) -> None:
    assert GainBelief(probability, 0.1, 80, 1.5).questions_to_decide(0.95) is None
