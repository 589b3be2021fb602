"""Candidates compared on the questions that they share."""

import numpy as np
import pytest

from search.problem.candidate import Candidate
from search.strategies.parts.elimination import by_rank, by_test
from search.strategies.parts.score_table import fair_means, score_table

CANDIDATES = [Candidate((f"d{number}",)) for number in range(40)]
QUESTIONS = [f"q{number}" for number in range(40)]


def scores_with_failures(share: float) -> dict[Candidate, dict[str, float]]:
    """The later the candidate the better, by 0.05; questions differ by far more, and a share of scores is missing."""
    draw = np.random.default_rng(0)
    level = 5 + 2 * draw.normal(size=len(QUESTIONS))
    return {
        candidate: {
            name: level[at] + 0.05 * number + 0.2 * draw.normal()
            for at, name in enumerate(QUESTIONS)
            if draw.random() > share
        }
        for number, candidate in enumerate(CANDIDATES)
    }


def test_without_failures_means_are_plain() -> None:
    scores = scores_with_failures(0.0)
    assert fair_means(score_table(scores)).tolist() == [np.mean([*one.values()]) for one in scores.values()]


@pytest.mark.parametrize("share", [0.03, 0.2])
def test_failures_move_means_by_little_whatever_questions_they_hit(share: float) -> None:
    means = fair_means(score_table(scores_with_failures(share)))
    assert np.diff(means) == pytest.approx(0.05, abs=0.25)
    assert np.argsort(means)[-5:].min() >= 33


@pytest.mark.parametrize("share", [0.0, 0.03, 0.2])
def test_failures_do_not_stop_a_test_from_seeing_who_is_worse(share: float) -> None:
    stay = by_test("t", 0.05)(scores_with_failures(share))
    assert 1 <= len(stay) < 12
    assert all(CANDIDATES.index(one) > 25 for one in stay)


def test_halving_keeps_the_better_half_in_spite_of_failures() -> None:
    stay = by_rank(0.5)(scores_with_failures(0.1))
    assert len(stay) == 20
    assert np.mean([CANDIDATES.index(one) >= 20 for one in stay]) > 0.85


def test_who_has_no_score_in_common_with_anybody_does_not_lead() -> None:
    first, second, third = CANDIDATES[:3]
    means = fair_means(score_table({first: {"q0": 1.0}, second: {"q0": 2.0}, third: {"alone": 9.0}}))
    assert means.argmax() == 1
