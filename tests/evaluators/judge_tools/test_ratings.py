import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.failures import VerdictUnreadable
from evaluators.judge_tools.ratings import MT_BENCH, Scale, read_winner
from tests.evaluators.real_files import mt_bench_rows


def _rating_or_minus_one(words: str) -> float:
    try:
        return MT_BENCH.read(words)
    except VerdictUnreadable:
        return -1


def test_every_real_judgment_has_the_rating_that_upstream_read() -> None:
    rows = mt_bench_rows("model_judgment/gpt-4_single.jsonl")
    assert [_rating_or_minus_one(row["judgment"]) for row in rows] == [row["score"] for row in rows]


@pytest.mark.parametrize(
    ("words", "rating"),
    [
        ("Good. Rating: [[7]]", 7),
        ("Rating: [[8.5]], not [[2]]", 8.5),
        ("Rating: [[10]]", 10),
        ("Rating: [[5.]]", 5),
        ("Rating: [6]", 6),
        ("see [3], still: [[9]]", 9),
        ("[[x]] and then [[4]]", 4),
        ("[1] and [2]", 1),
    ],
)
def test_the_first_double_bracket_counts_else_the_first_single_one(words: str, rating: float) -> None:
    assert MT_BENCH.read(words) == rating


@pytest.mark.parametrize(
    "words", ["", "I cannot rate this.", "[[ten]]", "Rating: 7", "[[-3]]", "[[ 5 ]]", "[[5,5]]", "[[nan]]", "[[inf]]"]
)
def test_words_without_a_rating_are_unreadable(words: str) -> None:
    with pytest.raises(VerdictUnreadable, match="no rating"):
        MT_BENCH.read(words)


@pytest.mark.parametrize("words", ["[[0]]", "[[11]]", "[[0.99]]", "[100]", "[[10.01]] or [[5]]", f"[[{'9' * 400}]]"])
def test_a_rating_off_the_scale_is_unreadable(words: str) -> None:
    with pytest.raises(VerdictUnreadable, match="off the scale"):
        MT_BENCH.read(words)


def test_an_unreadable_verdict_quotes_how_the_words_ended() -> None:
    with pytest.raises(VerdictUnreadable) as caught:
        MT_BENCH.read("start " + "x" * 300 + " the end")
    assert "the end" in str(caught.value)
    assert "start" not in str(caught.value)


@given(st.text(st.sampled_from("[]0123456789. \n") | st.characters(), max_size=60))
def test_any_words_give_a_rating_on_the_scale_or_are_unreadable(words: str) -> None:
    rating = _rating_or_minus_one(words)
    assert rating == -1 or MT_BENCH.low <= rating <= MT_BENCH.high


def test_a_scale_of_ones_own_reads_what_its_pattern_finds_first() -> None:
    scale = Scale(-1, 1, (re.compile(r"score: (\S+)"),))
    assert scale.read("score: -0.5 or score: 1") == -0.5
    for words, complaint in [
        ("score: 2", "off the scale of -1 to 1"),
        ("score: high", "is not a number"),
        ("1", "no rating"),
    ]:
        with pytest.raises(VerdictUnreadable, match=complaint):
            scale.read(words)


@pytest.mark.parametrize("words", ["score: nan", "score: inf", "score: -inf"])
def test_what_is_no_finite_number_is_on_no_scale(words: str) -> None:
    with pytest.raises(VerdictUnreadable):
        Scale(0, 1, (re.compile(r"score: (\S+)"),)).read(words)


def test_a_group_that_took_no_part_in_the_match_is_no_rating() -> None:
    with pytest.raises(VerdictUnreadable, match="is not a number"):
        Scale(0, 1, (re.compile(r"none|score: (1)"),)).read("none")


@pytest.mark.parametrize(
    ("words", "winner"),
    [("[[A]]", "A"), ("so: [[B]].", "B"), ("[[C]]", None), ("[[C]], no, [[B]]", "B"), ("[[B]] or rather [[A]]", "A")],
)
def test_a_winner_is_looked_for_as_fastchat_does(words: str, winner: str | None) -> None:
    assert read_winner(words) == winner


@given(st.text(st.sampled_from("[]ABC ") | st.characters(), max_size=40))
def test_any_words_name_a_winner_exactly_where_fastchat_reads_one(words: str) -> None:
    upstream = next((mark for mark in "ABC" if f"[[{mark}]]" in words), "error")
    try:
        ours = read_winner(words) or "C"
    except VerdictUnreadable:
        ours = "error"
    assert ours == upstream
