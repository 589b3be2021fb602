"""Keys tell apart everything that can change a value, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.ledger.keys import generation_keys, prompt_digest, verdict_key
from evaluators.question import Question
from workers.prompt import Decoding, PromptBlock

DECODING = Decoding(max_new_tokens=8)
QUESTION = Question("q", ("Why?", "And?"), "general", ("Because.", "Then."))


def key(block: PromptBlock, model: str = "m", decoding: Decoding = DECODING) -> bytes:
    return generation_keys(model, decoding, block)[0]


@given(text=st.text(), cut=st.integers(0, 100))
def test_where_a_prompt_is_cut_makes_no_difference(text: str, cut: int) -> None:
    assert key(PromptBlock(text[:cut], (text[cut:],))) == key(PromptBlock(text, ("",)))


@given(prompts=st.lists(st.text(), min_size=2, max_size=20, unique=True))
def test_other_prompts_have_other_keys(prompts: list[str]) -> None:
    keys = generation_keys("m", DECODING, PromptBlock("rules", tuple(prompts)))
    assert len(set(keys)) == len(prompts)


@given(suffixes=st.lists(st.text(), min_size=1, max_size=8))
def test_a_prompts_key_does_not_depend_on_its_neighbours(suffixes: list[str]) -> None:
    together = generation_keys("m", DECODING, PromptBlock("rules", tuple(suffixes)))
    assert together == [key(PromptBlock("rules", (suffix,))) for suffix in suffixes]


@pytest.mark.parametrize(
    "change",
    [
        {"max_new_tokens": 9},
        {"temperature": 0.5},
        {"top_p": 0.9},
        {"top_k": 4},
        {"repetition_penalty": 1.15},
        {"stop": ("#",)},
        {"seed": 1},
    ],
)
def test_every_decoding_field_is_part_of_the_key(change: dict[str, Any]) -> None:
    block, other = PromptBlock("rules", ("Why?",)), replace(DECODING, **change)
    assert key(block) != key(block, decoding=other)
    assert prompt_digest("m", DECODING, block) != prompt_digest("m", other, block)


def test_model_and_begin_of_text_are_part_of_the_key() -> None:
    block = PromptBlock("rules", ("Why?",))
    assert len({key(block), key(block, model="n"), key(replace(block, bos=False))}) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"id": "other"},
        {"turns": ("How?", "And?")},
        {"turns": ("Why?", "Else?")},
        {"turns": ("Why?",)},
        {"references": ("Because.", "Other.")},
        {"category": "math"},
        {"references": ()},
        {"references": ("So.",)},
        {"baseline": "It is so."},
    ],
)
def test_everything_a_judge_function_can_read_is_part_of_a_verdicts_key(change: dict[str, Any]) -> None:
    assert verdict_key("j", QUESTION, ("answer",)) != verdict_key("j", replace(QUESTION, **change), ("answer",))


def test_judge_answer_and_repeat_are_part_of_a_verdicts_key() -> None:
    keys = {verdict_key("j", QUESTION, ("a",)), verdict_key("k", QUESTION, ("a",)), verdict_key("j", QUESTION, ("b",))}
    assert len(keys | {verdict_key("j", QUESTION, ("a",), repeat=1)}) == 4


@given(judge=st.text(), answer=st.text(), other=st.text())
def test_text_never_moves_from_one_part_of_a_key_to_the_next(judge: str, answer: str, other: str) -> None:
    if other:
        assert verdict_key(judge + other, QUESTION, (answer,)) != verdict_key(judge, QUESTION, (other + answer,))


@given(first=st.text(), second=st.text(), other=st.text(min_size=1))
def test_text_never_moves_from_one_answer_to_the_next(first: str, second: str, other: str) -> None:
    keys = {
        verdict_key("j", QUESTION, answers)
        for answers in ((first, other + second), (first + other, second), (first + other + second,))
    }
    assert len(keys) == 3


def test_what_a_judge_function_is_handed_is_part_of_the_key_and_what_nobody_asks_for_is_none() -> None:
    easy, hard = (replace(QUESTION, judge_fields=f'{{"level": {level}}}') for level in (1, 2))
    keys = [verdict_key("judge", question, ("So.",)) for question in (QUESTION, easy, hard)]
    assert len({*keys}) == 3
    assert "judge_fields" not in QUESTION.to_json()
