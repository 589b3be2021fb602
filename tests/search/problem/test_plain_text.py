"""A question is the same question however it is wrapped or disguised."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.problem.plain_text import plain, read_words
from search.problem.text_overlap import words_of

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
    ],
)
def test_what_a_question_is_wrapped_in_makes_no_difference(written: str) -> None:
    assert read_words(written) == read_words(ASKED)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a <b and c> d", "a d"), ("Is \\nu a \\rho?", "Is a?"), ("R&D", "RD"),
     ("\u0441\u043e\u043d", "\u043b\u043e\u043d"),
     ("12\u200b - 5", "12 + 5"), ('<a href="b">c</a>', "b c")],
)  # fmt: skip
def test_what_means_something_else_stays_another_text(one: str, other: str) -> None:
    assert read_words(one) != read_words(other)


@pytest.mark.parametrize(
    "text", ["Was ist eine Straße?", "Что такое HTML?", "강의 이름", "ما هو؟", "हिन्दी क्या है?", "日本語で?"]
)
def test_other_scripts_stay_what_they_are(text: str) -> None:
    assert words_of(unicodedata.normalize("NFKD", text).replace("\u0306", "")) == read_words(text)


PIECES = ["&", "#", "x", ";", "\\u", "d800", "%20", "<b", ">", "](", "[", "Q:", "\n", "A:", "=", '"']


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_has_words(text: str) -> None:
    assert isinstance(plain(text), str)
    assert all(read_words(text))
