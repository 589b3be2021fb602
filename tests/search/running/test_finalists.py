"""Who is judged on held-out questions."""

from dataclasses import replace

from search.running.finalists import finalists, most_finalists
from tests.kits.strategy_kit import SPACE

BASE, FIRST, SECOND, THIRD = (SPACE.compose(names) for names in ((), ("a",), ("b",), ("c",)))


def test_the_best_two_and_the_base_prompt_each_once() -> None:
    assert finalists([FIRST, SECOND, THIRD], SPACE) == [FIRST, SECOND, BASE]
    assert finalists([FIRST, BASE, SECOND], SPACE) == [FIRST, BASE]
    assert finalists([BASE], SPACE) == [BASE]
    assert most_finalists(SPACE) == 3


def test_a_winner_in_another_decoding_is_compared_with_the_base_prompt_in_that_decoding_too() -> None:
    space = replace(SPACE, decodings=("hot",))
    hot, control = space.compose(("a",), decoding="hot"), space.compose((), decoding="hot")
    assert finalists([hot, SECOND], space) == [hot, SECOND, BASE, control]
    assert finalists([control, hot], space) == [control, hot, BASE]
    assert most_finalists(space) == 4
