"""Texts are compared by their words, whatever they are written with, and passages are found in all texts at once."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.problem.text_overlap import PASSAGE, Passages, is_telling, words_of

ASKED = 'What\'s the "capital" of Kenya - and why?'


@pytest.mark.parametrize(
    "written",
    [
        ASKED.upper(),
        "  what\u2019s   the\ncapital of\tKenya and why",
        "What\u2019s the \u201ccapital\u201d of Kenya \u2014 and why\uff1f",
        "\ufeffWhat's the cap\u200bital of Ken\u00adya\u2060, and why?!",
        "\uff37hat's the capital of Kenya\u00a0\u2013\u00a0and why?",
    ],
)
def test_the_same_words_are_the_same_text(written: str) -> None:
    assert words_of(written) == words_of(ASKED)


@given(st.text())
def test_the_unicode_form_and_the_case_make_no_difference(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert words_of(unicodedata.normalize(form, text)) == words_of(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("2 + 2", "2 - 2"), ("3.14", "314"), ("-5 + 3", "5 + 3"), ("1/2", "12"), ("a < b", "a > b"), ("$5", "5"),
     ("\U0001f642", "\U0001f641"), ("???", "!!!"), ("\u4f60\u597d", "\u597d\u4f60")],
)  # fmt: skip
def test_what_means_something_else_is_another_text(one: str, other: str) -> None:
    assert words_of(one) != words_of(other)


def naive(sought: list[tuple[str, ...]], texts: list[tuple[str, ...]]) -> set[tuple[int, int]]:
    def windows(words: tuple[str, ...], length: int) -> set[tuple[str, ...]]:
        return {words[at : at + length] for at in range(len(words) - length + 1)}

    return {
        (at, place)
        for at, words in enumerate(sought)
        for place, text in enumerate(texts)
        if is_telling(words) and windows(words, min(PASSAGE, len(words))) & windows(text, min(PASSAGE, len(words)))
    }


_TEXTS = st.lists(st.lists(st.sampled_from(["alpha", "beta", "gamma"]), max_size=30).map(tuple), max_size=3)


@settings(deadline=None)  # the machine is shared
@given(_TEXTS, _TEXTS)
def test_passages_are_found_as_by_looking_at_every_pair(
    sought: list[tuple[str, ...]], texts: list[tuple[str, ...]]
) -> None:
    assert set(Passages.of_words(sought).found_in(texts)) == naive(sought, texts)


def test_a_frame_that_many_questions_share_is_no_passage_of_any() -> None:
    frame = "Answer the following multiple choice question with a single letter and nothing else please:"
    sought = [words_of(f"{frame} what is {name}?") for name in ("one", "two", "three", "four", "five")]
    assert list(Passages.of_words(sought).found_in([words_of(f"{frame} who was Ada?")])) == []
    assert list(Passages.of_words(sought).found_in([sought[3]])) == [(3, 0)]


@settings(deadline=None)  # the machine is shared
@given(_TEXTS, st.lists(st.lists(st.sampled_from(["alpha", "beta", "gamma"]), max_size=30).map("".join), max_size=3))
def test_letters_are_found_as_by_looking_at_every_text(sought: list[tuple[str, ...]], texts: list[str]) -> None:
    wanted = [letters for words in sought if len(letters := "".join(words)[:24]) == 24]
    found = {(at, place) for at, letters in enumerate(wanted) for place, text in enumerate(texts) if letters in text}
    assert set(Passages.of_letters(wanted, 24).found_in(texts)) == found
