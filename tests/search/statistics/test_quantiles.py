"""Quantiles are those of scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri, stdtrit

from search.statistics.quantiles import of_normal, of_student

CONFIDENCE = st.floats(0.01, 0.9999)


@given(st.one_of(st.integers(1, 3_000), st.floats(1, 1e6)), CONFIDENCE)
def test_students_quantile_is_that_of_scipy_whatever_the_freedom_and_the_confidence(
    freedom: float, confidence: float
) -> None:
    assert of_student(freedom, confidence) == pytest.approx(float(stdtrit(freedom, (1 + confidence) / 2)), rel=1e-8)


@given(CONFIDENCE)
def test_the_normal_quantile_is_that_of_scipy(confidence: float) -> None:
    assert of_normal(confidence) == pytest.approx(float(ndtri((1 + confidence) / 2)), rel=1e-12)
