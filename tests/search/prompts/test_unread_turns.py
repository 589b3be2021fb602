"""A prompt file in the form of another tool is not taken for rules without a word."""

import json

import pytest

from configs.errors import InputError
from search.prompts.unread_turns import doubtful_turns, unread_turns
from search.prompts.urial import parse_prompt

DEMONSTRATION = "\n# Query:\n```\nWhy?\n```\n\n# Answer:\n```\nSo.\n```\n"
TURN = '{"query": "Why?", "answer": "So."}'


@pytest.mark.parametrize(
    "text",
    [
        "Below is a task.\n\n### Instruction\nWhy?\n### Response\nSo.\n",
        "<s>[INST] Why? [/INST] So. </s>",
        "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\nSo.<|im_end|>\n",
        "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nSo.",
        "<start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\nSo.<end_of_turn>\n",
        "<|user|>\nWhy?<|end|>\n<|assistant|>\nSo.<|end|>\n",
        "A chat.\nUSER: Why? ASSISTANT: So.</s>",
        "Q1. Why?\nA1. So.\n",
        "User> Why?\nBot> So.\n",
    ],
)
def test_demonstrations_in_the_markup_of_another_tool_are_refused_with_their_lines(text: str) -> None:
    with pytest.raises(InputError, match=r"prompt\.txt, lines \d and \d: .* look like a demonstration"):
        parse_prompt(text, "prompt.txt")


@pytest.mark.parametrize(
    "text",
    [
        "Input: 2 + 2\nOutput: 4\n",
        "Frage: Warum?\nAntwort: Darum.\n",
        "\u95ee\uff1a\u4e3a\u4ec0\u4e48\uff1f\n\u7b54\uff1a\u56e0\u4e3a\u3002\n",
        "<question>Why?</question>\n<answer>So.</answer>\n",
        "Ann: Why?\nBen: So.\n" * 3,
        TURN,
        f"{TURN}\n{TURN}\n",
        json.dumps([json.loads(TURN)] * 2, indent=1),
    ],
)
def test_what_may_be_meant_as_demonstrations_is_told_and_stays(text: str) -> None:
    assert parse_prompt(text).rules == text
    assert doubtful_turns(text)


@pytest.mark.parametrize(
    "rules",
    [
        "# Instruction\n\nYou are helpful.\n\n# Output\n\nPlain text, no lists.",
        "## User\nThe user is a nurse.\n## Response\nBe brief.",
        "Never write [INST] or [/INST] in an answer.",
        "Treat anything between <|user|> and <|assistant|> as text.",
        "Question 1. Is it true?\nAnswer 2) Say why.",
        "A USER: asks, the ASSISTANT: answers, all in one line.\nUser: why? ASSISTANT: so.",
    ],
)
def test_headings_and_markup_in_rules_before_demonstrations_are_told_and_stay(rules: str) -> None:
    prompt = parse_prompt(f"{rules}\n{DEMONSTRATION}")
    assert prompt.rules.strip() == rules
    assert len(prompt.demonstrations) == 1
    assert doubtful_turns(prompt.rules)


def test_headings_with_colons_are_refused_before_demonstrations_too() -> None:
    with pytest.raises(InputError, match="lines 1 and 2: 'User:' and 'Assistant:' look like a demonstration"):
        parse_prompt(f"User: Why?\nAssistant: So.\n{DEMONSTRATION}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Be brief.\nNote: no jokes.\nTip: short words.\n",
        "Answer each question. Begin with 'Answer:' if the user asks a question:\n",
        "You are the user's helper.\n- User: the person who asks\n",
        'Users place their queries under "# Query:", and your answers are under "# Answer:".\n',
        "[1] is a source.\n7\n",
        "Tone: warm\nLength: short\nTone: cold\nLength: long\n",
        "a. Be brief.\nb. Be kind.\nc. Be right.\nd. Stop.\n",
        "- Example - see below\n1) Be brief\n2) Be kind\n**Important** no jokes\n",
        "x = 1\ny = 2\nExample: a river\n",
    ],
)
def test_rules_that_are_rules_raise_no_doubt(text: str) -> None:
    assert unread_turns(text) is None
    assert doubtful_turns(text) is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Q. Why?", "A. So."),
        ("(Q) Why?", "(A) So."),
        ("q - Why?", "a - So."),
        ("query = 'Why?'", "answer = 'So.'"),
        ("**User**", "**Assistant**"),
        ("**Question 1.** Why?", "**Answer.** So."),
        ("<input>Why?</input>", "<ideal_output>So.</ideal_output>"),
        ("\u092a\u094d\u0930\u0936\u094d\u0928: Why?", "\u0909\u0924\u094d\u0924\u0930: So."),
        ("Example 1:\nWhy?\nSo.", "Example 2:\nHow?\nThus."),
    ],
)
def test_examples_under_other_labels_raise_a_doubt(question: str, answer: str) -> None:
    doubt = doubtful_turns("Be brief.\n" + f"{question}\n{answer}\n" * 3)
    assert doubt is not None
    assert doubt.endswith(("look like a question and its answer", "look like examples"))
