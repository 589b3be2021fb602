"""Quantiles are those of scipy."""

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.special import ndtri, stdtrit

from search.statistics.quantiles import of_normal, of_student

CONFIDENCE = st.one_of(
    st.floats(0, 1, exclude_min=True, exclude_max=True),
    st.floats(1e-16, 1, exclude_max=True).map(lambda rest: 1 - rest),
)
FREEDOM = st.one_of(st.integers(1, 3_000).map(float), st.floats(0, exclude_min=True), st.floats(-20, 3).map(math.exp))
_FEW = 0.2  # degrees of freedom: of fewer, quantiles may be beyond 1e150, where scipy has other numbers


@given(FREEDOM.filter(lambda freedom: freedom > _FEW), CONFIDENCE)
@example(math.inf, 0.95)
@example(1e12, 0.95)
@example(1e5, 0.9999)
def test_students_quantile_is_that_of_scipy_whatever_the_freedom_and_the_confidence(
    freedom: float, confidence: float
) -> None:
    assume(freedom != 4 or confidence > 1e-3)  # scipy's form for four loses what is near 0
    of_scipy = -float(stdtrit(freedom, (1 - confidence) / 2))
    assert of_student(freedom, confidence) == pytest.approx(of_scipy, rel=1e-9, abs=1e-14)


@given(FREEDOM, CONFIDENCE)
@example(5e-324, 0.3)
@example(2e-95, 0.25)
def test_students_quantile_is_never_nearer_than_the_normal_one(freedom: float, confidence: float) -> None:
    assert of_student(freedom, confidence) >= of_normal(confidence) * (1 - 1e-9) - 1e-14


@pytest.mark.parametrize("freedom", [math.nan, 0.0, -1.0, -math.inf])
def test_where_there_is_no_freedom_there_is_no_quantile(freedom: float) -> None:
    assert math.isnan(of_student(freedom, 0.95))


@given(CONFIDENCE)
def test_the_normal_quantile_is_that_of_scipy(confidence: float) -> None:
    assert of_normal(confidence) == pytest.approx(-float(ndtri((1 - confidence) / 2)), rel=1e-12)
