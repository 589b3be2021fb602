"""Blocks of questions for sets."""

import numpy as np

from search.strategies.parts.met_questions import MetQuestions


def questions(demonstrations: int = 4, block: int = 3) -> MetQuestions:
    return MetQuestions(demonstrations, 7, block, np.random.default_rng(0))


def test_a_set_meets_every_question_once_in_blocks() -> None:
    met = questions()
    blocks = [met.next_block((0, 1)) for _ in range(4)]
    assert [len(block) for block in blocks] == [3, 3, 1, 0]
    assert sorted(number for block in blocks for number in block) == list(range(7))
    assert met.blocks_left((0, 1)) == 0
    assert met.blocks_left((1, 0)) == 3


def test_questions_that_members_have_met_the_least_come_first() -> None:
    met = questions()
    first = met.next_block((0, 1))
    second = met.next_block((0, 2))
    assert not set(first) & set(second)
    assert met.times_asked().tolist() == [6, 3, 3, 0]


def test_a_set_that_was_asked_about_everything_has_nothing_left() -> None:
    met = questions()
    met.all_asked(())
    assert met.blocks_left(()) == 0
    assert met.next_block(()) == []
