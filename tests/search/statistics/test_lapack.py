"""LAPACK without Python's lock."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import LinAlgError, cholesky
from scipy.linalg.lapack import dtrtri

from search.statistics.lapack import cholesky_factor, triangular_inverse
from search.statistics.observed_scores import Floats


def made_precision(size: int, seed: int) -> Floats:
    rows = np.random.default_rng(seed).normal(size=(size, size))
    precision: Floats = rows @ rows.T + size * np.eye(size)
    return precision


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 120), seed=st.integers(0, 99))
def test_factor_and_inverse_are_scipys_bit_by_bit_and_the_arguments_stay_as_they_are(size: int, seed: int) -> None:
    precision = made_precision(size, seed)
    before = precision.copy()
    factor = cholesky_factor(precision)
    kept = factor.copy()
    assert np.array_equal(factor, cholesky(precision, lower=True))
    assert np.array_equal(triangular_inverse(factor), dtrtri(factor, lower=1)[0])
    assert np.array_equal(precision, before)
    assert np.array_equal(factor, kept)


def test_a_matrix_without_factor_or_inverse_is_an_error() -> None:
    with pytest.raises(LinAlgError, match="not positive definite"):
        cholesky_factor(-np.eye(3))
    with pytest.raises(LinAlgError, match="singular"):
        triangular_inverse(np.zeros((2, 2)))
