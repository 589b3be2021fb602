"""How `screening` divides its budget."""

import pytest

from configs.schema.strategy import ScreeningConfig
from search.problem.space import SearchSpace
from search.strategies.parts.screening_budget import answers_to_screen, finalists_met_by, share_of_groups


def space_of(most: int, demonstrations: int = 1) -> SearchSpace:
    """A space of sets of up to `most`, with 80 questions: 10 blocks."""
    questions, pool = (
        tuple(f"{kind}{number}" for number in range(count)) for kind, count in (("q", 80), ("d", demonstrations))
    )
    return SearchSpace(base=(), pool=pool, questions=questions, insert_at=0, max_added=most)


@pytest.mark.parametrize(
    ("most", "trials", "finalists", "groups"),
    [
        (8, 19, 0, 9.5),  # half
        (4, 20, 1, 5),  # half of what a finalist leaves
        (5, 55, 2, 17.5),  # half of what two leave
        (8, 157, 2, 89),  # 20 are the finalists', and six for each demonstration of a set are enough
        (8, 400, 2, 300),  # three quarters at the most
    ],
)
def test_groups_leave_large_sets_trials_that_no_finalist_takes(
    most: int, trials: int, finalists: int, groups: float
) -> None:
    assert finalists_met_by(trials, 10) == finalists
    assert trials * share_of_groups(ScreeningConfig(kind="screening"), space_of(most), trials) == groups


@pytest.mark.parametrize("trials", [1, 57, 157, 5000])
def test_sets_of_three_and_large_budgets_leave_three_quarters_to_groups(trials: int) -> None:
    config = ScreeningConfig(kind="screening")
    assert share_of_groups(config, space_of(3), trials) == 0.75
    assert share_of_groups(config, space_of(8), 5000) == 0.75


def test_a_share_that_is_given_is_kept() -> None:
    assert share_of_groups(ScreeningConfig(kind="screening", screening_share=0.9), space_of(8), 57) == 0.9


@pytest.mark.parametrize(("answers", "screened"), [(588, 20 * 588), (592, (50 + 49 + 48) * 80)])
def test_a_cheap_judge_has_twenty_times_the_answers_and_no_more_than_exhaustive_greedy(
    answers: int, screened: int
) -> None:
    assert answers_to_screen(ScreeningConfig(kind="screening"), space_of(3, 50), answers) == screened


def test_a_cheap_judge_has_the_answers_that_are_given() -> None:
    config = ScreeningConfig(kind="screening", screening_judge_answers=0)
    assert answers_to_screen(config, space_of(3, 50), 592) == 0
