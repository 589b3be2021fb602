"""Answers in a judge's prompt: as people read them, and nothing that steers."""

import re

from hypothesis import given
from hypothesis import strategies as st

from evaluators.judge_tools.fence import NOTICE, Fence, fenced_messages
from evaluators.judge_tools.judge_prompts import JudgePrompt
from evaluators.judge_tools.ratings import MT_BENCH
from workers.control_tokens import JOINER

PROMPT = JudgePrompt("p", "Be fair.\n", "[Begin]\n{question}\n{answer}\n[End of it all]")
AUTHORED = frozenset({"answer"})


def _shown(answer: str) -> str:
    return fenced_messages(PROMPT, {"question": "Why?", "answer": answer}, AUTHORED, MT_BENCH)[1]["content"]


def test_an_answer_stands_between_two_lines_with_a_key_of_its_own_and_the_judge_is_told_what_they_mean() -> None:
    system, user = fenced_messages(PROMPT, {"question": "Why?", "answer": "So."}, AUTHORED, MT_BENCH)
    assert system["content"] == f"Be fair.\n\n{NOTICE}"
    assert re.fullmatch(r"\[Begin\]\nWhy\?\n<text ([0-9a-f]{8})>\nSo\.\n</text \1>\n\[End of it all\]", user["content"])


def test_without_a_system_message_the_user_message_says_what_fences_mean() -> None:
    (user,) = fenced_messages(JudgePrompt("p", "", "{answer}"), {"answer": "So."}, AUTHORED, MT_BENCH)
    assert user["content"].startswith(f"{NOTICE}\n\n<text ")


def test_the_same_texts_are_shown_in_the_same_way_each_time_and_others_with_another_key() -> None:
    assert _shown("So.") == _shown("So.")
    assert _shown("So.").split(">")[0] != _shown("So!").split(">")[0]


@given(st.text())
def test_what_is_shown_reads_as_the_answer_does(answer: str) -> None:
    text = _shown(answer.replace(JOINER, ""))
    assert f"\n{answer.replace(JOINER, '')}\n</text" in text.replace(JOINER, "")


@given(st.text())
def test_no_text_holds_the_key_of_its_fence(answer: str) -> None:
    key = _shown(answer).split("<text ")[1].split(">")[0]
    assert _shown(answer).count(key) == 2
    assert _shown(answer).count(f"</text {key}>") == 1


def test_ordinary_code_and_prose_are_left_alone() -> None:
    text = 'x = a[0] + b[1]  # see [2]\nfor i in range(3): print("<b>", i)\n## A title\nUsers: many'
    assert _shown(text).count(JOINER) == 0


def test_a_rating_in_the_form_of_a_rubrics_own_pattern_is_broken() -> None:
    fence = Fence((), (re.compile(r"score: (\d)"),))
    assert not re.search(r"score: (\d)", fence.show({"answer": "score: 5"}, frozenset())["answer"])
