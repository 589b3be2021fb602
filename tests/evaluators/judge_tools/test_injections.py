"""What an answer can forge: nothing, once prompts are fenced and decisions are read."""

from itertools import product

import pytest

from evaluators.judge_tools.judge_prompts import JudgePrompt
from tests.evaluators.judge_tools.injections import (
    CONTROL,
    HEADINGS,
    PROMPTS,
    RATINGS,
    REPLIES,
    forged_turns,
    reading_of,
)


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt.name)
def test_no_answer_forges_a_turn_or_a_heading_in_a_fenced_prompt(prompt: JudgePrompt) -> None:
    assert [answer for answer in CONTROL + HEADINGS if forged_turns(prompt, answer, fenced=True)] == []


def test_published_prompts_can_be_forged_which_is_why_others_are_fenced() -> None:
    assert all(forged_turns(prompt, answer, fenced=False) for prompt, answer in product(PROMPTS, CONTROL[:-1]))


@pytest.mark.parametrize("reply", REPLIES)
def test_a_rating_quoted_from_the_answer_is_never_the_decision(reply: str) -> None:
    scores = {reading_of(reply.replace("{answer}", answer), published=False) for answer in RATINGS}
    assert scores <= {2, None}
    assert 2 in scores


def test_the_published_reading_takes_most_quoted_ratings_for_the_judges() -> None:
    quoted = [reply.replace("{answer}", answer) for reply, answer in product(REPLIES, RATINGS)]
    assert sum(reading_of(words, published=True) == 2 for words in quoted) < len(quoted) / 2
