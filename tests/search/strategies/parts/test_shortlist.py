"""What stays of a pool, or of questions, that are more than a model can hold."""

from dataclasses import replace

import numpy as np
import pytest

from search.problem.space import SearchSpace
from search.strategies.parts.shortlist import MOST_DEMONSTRATIONS, MOST_QUESTIONS, fewer_questions, shortlist

POOL = tuple(f"d{number}" for number in range(3000))
SPACE = SearchSpace(("own",), POOL, tuple(f"q{number}" for number in range(900)), 0, 3)
CLOSENESS = np.arange(3000.0)


def test_a_pool_that_a_model_can_hold_stays_as_it_is() -> None:
    space = replace(SPACE, pool=POOL[:MOST_DEMONSTRATIONS])
    assert shortlist(space, 1, None, 0) is space


def test_as_many_stay_as_groups_can_meet_once_at_the_most() -> None:
    assert len(shortlist(SPACE, 8 * 200, CLOSENESS, 0).pool) == 600
    assert len(shortlist(SPACE, 10**6, CLOSENESS, 0).pool) == MOST_DEMONSTRATIONS


def test_half_of_those_that_stay_are_the_nearest_and_half_are_drawn_from_all_others() -> None:
    stays = [int(name[1:]) for name in shortlist(SPACE, 8 * 200, CLOSENESS, 0).pool]
    assert set(range(2700, 3000)) <= set(stays)
    assert min(stays) < 200
    assert np.mean([number for number in stays if number < 2700]) == pytest.approx(1350, abs=200)


def test_what_is_required_and_the_base_prompts_own_always_stay() -> None:
    space = replace(SPACE, base=("d1",), base_use="optional", required=("d2",), order="fixed")
    pool = shortlist(space, 800, CLOSENESS, 0).pool
    assert {"d1", "d2"} <= set(pool)
    assert list(pool) == sorted(pool, key=POOL.index)


def test_another_seed_draws_others() -> None:
    assert shortlist(SPACE, 800, None, 0) != shortlist(SPACE, 800, None, 1)
    assert shortlist(SPACE, 800, None, 0) == shortlist(SPACE, 800, None, 0)


def test_a_random_part_of_many_questions_stays_in_order() -> None:
    questions = fewer_questions(SPACE, 0).questions
    assert len(questions) == MOST_QUESTIONS
    assert list(questions) == sorted(questions, key=SPACE.questions.index)
    few = replace(SPACE, questions=questions)
    assert fewer_questions(few, 0) is few
