"""A cheap test whether answers slid against their queries: the defect that ruins a prompt without a trace.

In the paper a circular shift of six answers took Llama-3.1-8B from 7.81 to 2.13, and no loader would notice. Answers
share rare words with their own query; so each query's overlap with its own answer is compared with its overlap with the
neighbours' answers, pair by pair.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_WORD = r"\w{3,}"
_ROWS = 500  # more would cost seconds and say no more
_CLEAR = 2.0  # standard errors, and in cosine:
_LARGE = 0.05


def shift_of(pairs: Sequence[tuple[str, str]]) -> int:
    """The number of rows by which the answers seem shifted: 1 (query `i` matches answer `i + 1`), -1, or 0 for not at
    all.
    """
    pairs = pairs[:_ROWS]
    if len(pairs) < 3:
        return 0
    queries, answers = _weighted([query for query, _ in pairs], [answer for _, answer in pairs])
    for shift in (1, -1):
        neighbours = answers[[(at + shift) % len(pairs) for at in range(len(pairs))]]
        if _clearly_positive(queries.multiply(neighbours - answers).sum(axis=1)):
            return shift
    return 0


def _clearly_positive(gains: NDArray[np.float64]) -> bool:
    error = float(gains.std(ddof=1)) / math.sqrt(len(gains))
    return float(gains.mean()) > max(_CLEAR * error, _LARGE)


def _weighted(*groups: Sequence[str]) -> "list[csr_array]":
    """Return each group's TF-IDF weights of words, one row of length 1 a text."""
    from scipy.sparse import csr_array, vstack  # noqa: PLC0415 -- who reads a run reads no pool
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer  # noqa: PLC0415 -- takes a second

    counts = HashingVectorizer(n_features=2**16, token_pattern=_WORD, norm=None, alternate_sign=False)
    counted = [counts.transform(group) for group in groups]
    weights = TfidfTransformer().fit(vstack(counted))
    return [csr_array(weights.transform(group)) for group in counted]
