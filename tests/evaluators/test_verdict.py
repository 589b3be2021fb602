import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.failures import VerdictUnreadable
from evaluators.verdict import HIGHEST, LOWEST, parse_rating
from tests.evaluators.real_files import mt_bench_rows


def _rating_or_minus_one(words: str) -> float:
    try:
        return parse_rating(words)
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
    assert parse_rating(words) == rating


@pytest.mark.parametrize(
    "words", ["", "I cannot rate this.", "[[ten]]", "Rating: 7", "[[-3]]", "[[ 5 ]]", "[[5,5]]", "[[nan]]", "[[inf]]"]
)
def test_words_without_a_rating_are_unreadable(words: str) -> None:
    with pytest.raises(VerdictUnreadable, match="no rating"):
        parse_rating(words)


@pytest.mark.parametrize("words", ["[[0]]", "[[11]]", "[[0.99]]", "[100]", "[[10.01]] or [[5]]", f"[[{'9' * 400}]]"])
def test_a_rating_off_the_scale_is_unreadable(words: str) -> None:
    with pytest.raises(VerdictUnreadable, match="off the scale"):
        parse_rating(words)


def test_an_unreadable_verdict_quotes_how_the_words_ended() -> None:
    with pytest.raises(VerdictUnreadable) as caught:
        parse_rating("start " + "x" * 300 + " the end")
    assert "the end" in str(caught.value)
    assert "start" not in str(caught.value)


@given(st.text(st.sampled_from("[]0123456789. \n") | st.characters(), max_size=60))
def test_any_words_give_a_rating_on_the_scale_or_are_unreadable(words: str) -> None:
    rating = _rating_or_minus_one(words)
    assert rating == -1 or LOWEST <= rating <= HIGHEST
