"""Scores counted for the effects model."""

import numpy as np

from search.statistics.counted_scores import CountedScores
from search.statistics.effects import EffectsModel
from search.statistics.observed_scores import ObservedScores


def counted() -> CountedScores:
    scores = ObservedScores()
    scores.tell((0,), [0, 1, 2], [5.0, 6.0, 7.0])
    scores.tell((0, 1), [0, 2], [8.0, 4.0])
    return CountedScores(scores, EffectsModel(3, 2, None))


def test_sums_weigh_each_score_by_the_precision_that_the_noise_of_its_question_leaves() -> None:
    data, own = counted(), np.array([1.0, 2.0, 4.0])
    for noise in (0.5, 1.0, 2.0, 1.0, 0.5):  # more sizes than are kept
        weighted = data.weighted(noise, own)
        expected = 1 / (noise**2 * own[[0, 1, 2, 0, 2]])
        assert np.allclose(weighted.weight, expected)
        assert np.allclose(weighted.total, [expected[:3].sum(), expected[3:].sum()])
        assert np.allclose(weighted.by_question, np.bincount(data.asked, expected * data.values, 3))
        assert np.allclose(weighted.by_cell.toarray()[1], [expected[3], 0, expected[4]])
        assert np.isclose(weighted.square, expected @ data.values**2)
        assert np.isclose(weighted.logarithm, np.log(expected).sum())


def test_sums_are_made_once_for_a_size_of_the_noise_and_anew_for_other_questions_noise() -> None:
    data, own = counted(), np.array([1.0, 2.0, 4.0])
    assert data.weighted(0.5, own) is data.weighted(0.5, own)
    other = data.weighted(0.5, np.ones(3))
    assert np.allclose(other.weight, 4.0)
    assert np.allclose(data.weighted(0.5, own).weight[:3], 4 / own)
