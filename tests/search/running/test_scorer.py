"""When there is a mean."""

import pytest

from search.problem.trial import mean_of


@pytest.mark.parametrize(
    ("share", "questions", "allowed"), [(0.0, 8, 0), (0.05, 8, 1), (0.05, 80, 4), (0.07, 100, 7), (0.28, 25, 7)]
)
def test_no_more_than_the_share_may_fail_rounded_up(share: float, questions: int, allowed: int) -> None:
    scores = {str(number): 1.0 for number in range(questions)}
    kept = dict(list(scores.items())[: questions - allowed])
    assert mean_of(kept, allowed, share) == 1.0
    kept.popitem()
    assert mean_of(kept, allowed + 1, share) is None
