"""What drafts bring is decided by paired rounds."""

from __future__ import annotations

import random

import pytest

from workers.bench.repeats import WINDOW, Taken, candidates, interval_of_median, words
from workers.prompt import Completion

pytestmark = pytest.mark.heavy  # torch


def rounds(*ratios: float) -> list[tuple[Taken, Taken]]:
    answers = {(0, 0): Completion("yes", 9, 4, "stop")}
    return [(Taken(1.0, 4, 0, answers), Taken(ratio, 2, 3, answers)) for ratio in ratios]


def test_the_interval_holds_the_median_as_often_as_it_says() -> None:
    draw = random.Random(0)
    for count in (6, 11, 21):
        intervals = [interval_of_median([draw.gauss(0, 1) for _ in range(count)]) for _ in range(2000)]
        assert sum(low <= 0 <= high for low, high in intervals) >= 0.945 * 2000


def test_fewer_than_six_rounds_are_all_within_the_interval() -> None:
    assert interval_of_median([3.0, 1.0, 2.0]) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [((0.98, 1.0, 1.01), "no slower"), ((1.03, 1.04, 1.05), "slower"), ((0.9, 1.0, 1.1), "undecided")],
)
def test_two_percent_is_decided_only_where_the_whole_interval_says_so(ratios: tuple[float, ...], verdict: str) -> None:
    lines = words("nothing repeats", rounds(*ratios))
    assert lines[-1].endswith(f"in 3 rounds: {verdict}, where 2% counts")
    assert lines[2] == "  tokens read behind the prompts 4 and 5"


def test_each_candidate_is_asked_some_of_the_questions_once() -> None:
    blocks = candidates(5, WINDOW)
    assert all(len(set(block.suffixes)) == WINDOW for block in blocks)
    assert len({block.suffixes for block in blocks}) == len(blocks)
