"""Time left, and how sure it is."""

import math
import random

from hypothesis import given
from hypothesis import strategies as st

from search.live.eta import Speedometer


def test_steady_work_leaves_no_doubt() -> None:
    speed = Speedometer()
    for second in range(61):
        speed.note(second, 5 * second)
    eta = speed.eta(300)
    assert eta is not None
    assert math.isclose(eta.seconds, 60)
    assert math.isclose(eta.low, 60)
    assert math.isclose(eta.high, 60)


def test_nothing_is_promised_before_anything_is_done_and_nothing_is_left_at_the_end() -> None:
    speed = Speedometer()
    assert speed.eta(10) is None
    speed.note(0, 100)
    speed.note(5, 100)
    assert speed.eta(10) is None
    last = speed.eta(0)
    assert last is not None
    assert last.seconds == last.high == 0


def test_a_first_figure_has_no_interval_yet() -> None:
    speed = Speedometer()
    speed.note(0, 0)
    speed.note(2, 10)
    eta = speed.eta(10)
    assert eta is not None
    assert (eta.seconds, eta.low, eta.high) == (2, 0, math.inf)


def test_only_the_later_part_of_the_past_speaks() -> None:
    """What the ledger knows is through in a moment, and says nothing of the rest."""
    speed = Speedometer()
    speed.note(0, 0)
    for second in range(1, 400):
        speed.note(second, 10_000 + second)
    eta = speed.eta(100)
    assert eta is not None
    assert math.isclose(eta.seconds, 100, rel_tol=0.05)


@given(st.lists(st.tuples(st.floats(0.01, 30), st.integers(0, 500)), max_size=200), st.integers(0, 10**6))
def test_whatever_happens_the_figure_lies_in_its_interval(steps: list[tuple[float, int]], left: int) -> None:
    speed, seconds, done = Speedometer(), 0.0, 0
    for more, answered in steps:
        seconds, done = seconds + more, done + answered
        speed.note(seconds, done)
    eta = speed.eta(left)
    assert eta is None or 0 <= eta.low <= eta.seconds * (1 + 1e-9) <= eta.high * (1 + 1e-9)


def test_of_uneven_work_the_end_lies_in_the_interval_in_eight_of_ten_cases() -> None:
    """Blocks of 20 answers that take 1 to 9 seconds; looked at after a quarter of a thousand blocks."""
    chance, held = random.Random(1), 0
    for _ in range(200):
        ends = [0.0]
        for _ in range(1000):
            ends.append(ends[-1] + chance.uniform(1, 9))
        speed = Speedometer()
        for number in range(251):
            speed.note(ends[number], 20 * number)
        eta = speed.eta(20 * 750)
        assert eta is not None
        held += eta.low <= ends[-1] - ends[250] <= eta.high
    assert 140 <= held <= 190
