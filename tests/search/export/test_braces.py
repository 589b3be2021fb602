"""Text that other tools would take for their own marks arrives as what it is."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from langchain_core.prompts import FewShotPromptTemplate
from transformers import AutoTokenizer

from search.export import written
from search.export.promptfoo import literal, variable
from search.prompts.urial import FORMS
from tests.search.export.made import made

pytestmark = pytest.mark.heavy

marks = st.sampled_from(["{", "}", "{{", "}}", "{%", "%}", "{#", "#}", "{% raw %}", "{{ question }}", "{question}"])
words = st.lists(st.one_of(marks, st.text(max_size=3), st.sampled_from(["file://", "\n", "---"])), max_size=8).map(
    "".join
)
lines = words.map(lambda text: text.replace("\r", ""))
filled = words.filter(str.strip)
pairs = st.lists(st.tuples(filled, filled), max_size=3)
templates = st.sampled_from(sorted(FORMS))
NUNJUCKS = Environment(keep_trailing_newline=True, newline_sequence="\n")
TOKENIZER = AutoTokenizer.from_pretrained(Path("configs/quickstart/model").absolute())


def nunjucks(text: str, **given: str) -> str:
    """Jinja has the tags that an export is made of; unlike Nunjucks it makes every kind of line end one."""
    return NUNJUCKS.from_string(text).render(**given)


def expected(rules: str, shown: list[tuple[str, str]], template: str, question: str) -> str:
    best = made(rules, shown, template)
    return best.renderer.block(rules, best.demonstrations, [(question,)]).prompt(0)


def loaded(rules: str, shown: list[tuple[str, str]], template: str, form: Any) -> Any:
    return json.loads(written(made(rules, shown, template), form))


@settings(max_examples=50)
@given(rules=words, shown=pairs, template=templates, question=filled)
def test_langchain_shows_rules_demonstrations_and_question_as_they_are(
    rules: str, shown: list[tuple[str, str]], template: str, question: str
) -> None:
    prompt = FewShotPromptTemplate(**loaded(rules, shown, template, "langchain"))
    spelled = question.strip(FORMS[template].trimmed)
    assert prompt.format(question=spelled) == expected(rules, shown, template, question)


@settings(max_examples=50)
@given(rules=words, shown=pairs, template=templates, question=filled)
def test_the_chat_template_spells_a_chat_as_urial_does(
    rules: str, shown: list[tuple[str, str]], template: str, question: str
) -> None:
    export = loaded(rules, shown, template, "hugging_face")
    export["messages"][-1]["content"] += question
    text = TOKENIZER.apply_chat_template(export["messages"], **export["apply_chat_template"])
    assert text == expected(rules, shown, template, question)


@settings(max_examples=50)
@given(rules=words, shown=pairs, template=templates, question=filled)
def test_prefix_and_question_make_the_prompt(
    rules: str, shown: list[tuple[str, str]], template: str, question: str
) -> None:
    export = loaded(rules, shown, template, "vllm")
    middle = export["before_question"] + question.strip(export["strip_question"]) + export["after_question"]
    assert export["prefix"] + middle == expected(rules, shown, template, question)


@given(text=lines, question=lines)
def test_promptfoo_shows_a_prompt_as_it_is(text: str, question: str) -> None:
    assert nunjucks(f"{literal(text)}{{{{ question }}}}{literal(text)}", question=question) == text + question + text


@given(text=lines)
def test_promptfoo_shows_a_question_as_it_is_and_loads_no_file(text: str) -> None:
    shown = variable(text)
    assert not shown.startswith(("file://", "package:"))
    assert not shown.endswith("\n")
    assert nunjucks(shown) == text


@pytest.mark.parametrize("text", ["file://x\n", "package:y", "{{ a }}\n", "\n", "{"])
def test_what_promptfoo_would_act_on_is_a_question_all_the_same(text: str) -> None:
    assert nunjucks(variable(text)) == text
