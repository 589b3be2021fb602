"""The variance of what demonstrations do to single questions."""

import numpy as np
import pytest

from search.statistics.effects import EffectsModel
from search.statistics.observed_scores import ObservedScores
from search.statistics.question_luck import luck_variance

QUESTIONS, DEMONSTRATIONS = 40, 20


def estimated(luck: float, *, greedy: bool, seed: int = 0) -> float:
    """From sets on all questions, all of which hold the same two demonstrations where `greedy`."""
    draw, scores = np.random.default_rng(seed), ObservedScores()
    level = 6 + 1.5 * draw.normal(size=QUESTIONS)
    own = luck * draw.normal(size=(DEMONSTRATIONS, QUESTIONS))
    scores.tell((), range(QUESTIONS), level + draw.normal(size=QUESTIONS))
    for number in range(2, 80):
        members = (0, 1, 2 + number % 18) if greedy else tuple(draw.choice(DEMONSTRATIONS, 3, replace=False).tolist())
        asked = np.arange(QUESTIONS) if greedy else draw.choice(QUESTIONS, 20, replace=False)
        set_luck = 3**-0.4 * own[list(members)].sum(axis=0)[asked]
        scores.tell(members, asked, level[asked] + set_luck + draw.normal(size=len(asked)))
    return luck_variance(EffectsModel(QUESTIONS, DEMONSTRATIONS, None, step=True).fit(scores))


@pytest.mark.parametrize("greedy", [True, False])
def test_luck_is_found_whoever_shares_demonstrations(greedy: bool) -> None:
    assert estimated(0.6, greedy=greedy) == pytest.approx(0.36, rel=0.35)


def test_without_luck_little_is_found() -> None:
    assert estimated(0.0, greedy=False) < 0.03


def test_few_scores_leave_the_usual_variance() -> None:
    scores = ObservedScores()
    scores.tell((), range(4), [5.0, 6.0, 7.0, 5.0])
    scores.tell((0,), range(4), [6.0, 7.0, 7.0, 5.0])
    assert luck_variance(EffectsModel(4, 1, None, step=True).fit(scores)) == pytest.approx(0.25**2, rel=0.3)
