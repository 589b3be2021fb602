"""A question is the same question however it is wrapped or disguised."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.problem.plain_text import plain, read_words
from search.problem.text_overlap import letters_of, words_of

ASKED = "What is the capital of Austria, and who's its mayor?"


@pytest.mark.parametrize(
    "written",
    [
        "<p>What is the <b>capital</b> of Austria,<br/>and who&#39;s its mayor?</p>",
        "What is the&nbsp;capital of Austria&#44; and who&rsquo;s its mayor?",
        "## **What** is the _capital_ of [Austria](https://en.wikipedia.org/wiki/Austria), and who's its mayor?",
        "What%20is%20the%20capital%20of%20Austria%2C%20and%20who%27s%20its%20mayor%3F",
        json.dumps(ASKED.replace("'", "\u2019")),
        "What is the capital of Austria,\\nAnd who's its mayor?",
        "Question 12: What is the capital of Austria, and who's its mayor?\nA:",
        "> User: What is the capital of Austria, and who's its mayor?\n\n**Answer:**"[:-2],
        ASKED.replace("a", "\u0430").replace("e", "\u0435").replace("o", "\u03bf"),
        ASKED.replace("capital", "ca\u0301pita\u0301l"),
        "".join(f"{character}\u200b" for character in ASKED),
        f"<!-- {ASKED} -->",
        f"<!--{ASKED}",
    ],
)
def test_what_a_question_is_wrapped_in_makes_no_difference(written: str) -> None:
    assert read_words(written) == read_words(ASKED)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a <b and c> d", "a d"), ("Is \\nu a \\rho?", "Is a?"), ("R&D", "RD"),
     ("\u0441\u043e\u043d", "\u043b\u043e\u043d"),
     ("It costs $5 and $6", "It costs 5 and 6"),
     ("12\u200b - 5", "12 + 5"), ('<a href="b">c</a>', "b c")],
)  # fmt: skip
def test_what_means_something_else_stays_another_text(one: str, other: str) -> None:
    assert read_words(one) != read_words(other)


@pytest.mark.parametrize(
    "written",
    [
        "What is the c\u03b1pit\u03b1l \u03bff Austria, and wh\u03bf's its mayor?",
        ASKED.upper().translate(dict(zip(map(ord, "AEIOT"), "\u0391\u0395\u0399\u039f\u03a4", strict=True))),
        ASKED.translate({ord("i"): "\u0131", ord("o"): "\u0585", ord("a"): "\u0251"}),
        ASKED.replace(" ", " \u3164").replace(",", "\u2800"),
        ASKED.replace("capital", "cap<wbr>ital").replace("Austria", "Aus<!-- b -->tria"),
        ASKED.replace(" ", "&amp;nbsp;"),
        ASKED.replace("capital", "ca**pit**al").replace("mayor", "~~mayor~~").replace("?", "\\?"),
        ASKED.replace("capital", "\\textbf{capital}").replace("Austria", "$Austria$"),
        ASKED.replace(" and", "\n> and"),
        ASKED.replace("Austria", "Aus-\ntria"),
        ASKED.replace("Austria", "Aus=\ntria"),
        " ".join(ASKED),
        ASKED.title().replace(" ", ""),
    ],
)
def test_a_question_is_the_same_however_it_is_spelled_or_broken(written: str) -> None:
    assert letters_of(read_words(written)) == letters_of(read_words(ASKED))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("\u0645\u064e\u0627 \u0647\u064a\u0640 \u0623\u0633", "\u0645\u0627 \u0647\u064a \u0627\u0633"),
        ("\u30ab\u30af\u30cb\u30f3", "\u304b\u304f\u306b\u3093"),
        ("Stra\u00c3\u0178e und \u00e2\u20ac\u0153so\u00e2\u20ac\u009d", "Stra\u00dfe und so"),
        ("\u041fo\u0447e\u043cy", "\u041f\u043e\u0447\u0435\u043c\u0443"),
    ],
)
def test_other_scripts_are_read_without_marks_and_confusion(written: str, read: str) -> None:
    assert read_words(written) == read_words(read)


@pytest.mark.parametrize(
    "text", ["Was ist eine Straße?", "강의 이름", "ما هو؟", "हिन्दी क्या है?", "日本語で?", "Τι είναι HTML;"]
)
def test_other_scripts_stay_what_they_are(text: str) -> None:
    assert words_of(unicodedata.normalize("NFKD", text)) == words_of(text)
    assert read_words(text) == read_words(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(("one", "other"), [("Add 12 3", "Add 1 23"), ("12 - 5", "12 + 5"), ("a < b", "a > b")])
def test_numbers_and_signs_count_wherever_a_text_is_broken(one: str, other: str) -> None:
    assert letters_of(read_words(one)) != letters_of(read_words(other))


PIECES = ["&", "#", "x", ";", "\\u", "d800", "%20", "<b", ">", "](", "[", "Q:", "\n", "A:", "=", '"']


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_has_words(text: str) -> None:
    assert isinstance(plain(text), str)
    assert all(read_words(text))
