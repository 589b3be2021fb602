"""Demonstrations of several turns, in every form that an export has."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.prompts import FewShotPromptTemplate
from transformers import AutoTokenizer

from configs.schema.data import PoolConfig
from search.export import caveat, written
from search.export.best_prompt import BestPrompt
from search.export.json_record import row_of
from search.problem.pool import load_pool
from search.prompts.demonstration import demonstration_of
from search.prompts.urial import FORMS, form_of, parse_prompt
from tests.search.export.made import made_of

pytestmark = pytest.mark.heavy

words = st.text(st.characters(exclude_characters="\r#", exclude_categories=["Cs"]), min_size=1, max_size=6).filter(
    str.strip
)
conversations = st.lists(st.lists(st.tuples(words, words), min_size=1, max_size=3), max_size=3)
tags = st.sampled_from(
    [(), ("separation_tag='# {Talk}'",), ("separation_tag='# {Talk}'", "separation_tag_between=turns")]
)
renders = st.builds(lambda name, tag: (f"template={name}", *tag), st.sampled_from(sorted(FORMS)), tags)
TOKENIZER = AutoTokenizer.from_pretrained(Path("configs/quickstart/model").absolute())
TWO = [("Which river?", "The Danube."), ("How long is it?", "2,850 km.")]
ONE = [("Plain?", "Plain.")]


def best(shown: list[list[tuple[str, str]]], *render: str) -> BestPrompt:
    return made_of("Rules.\n", [demonstration_of(turns, str(at)) for at, turns in enumerate(shown)], *render)


def expected(prompt: BestPrompt, question: str) -> str:
    return prompt.renderer.block("Rules.\n", prompt.demonstrations, [(question,)]).prompt(0)


@settings(max_examples=25, deadline=None)
@given(shown=conversations, render=renders)
def test_every_form_that_spells_a_prompt_spells_the_one_that_was_scored(
    shown: list[list[tuple[str, str]]], render: tuple[str, ...]
) -> None:
    prompt = best(shown, *render)
    wanted = expected(prompt, "What now?")
    assert FewShotPromptTemplate(**json.loads(written(prompt, "langchain"))).format(question="What now?") == wanted
    chat = json.loads(written(prompt, "hugging_face"))
    chat["messages"][-1]["content"] += "What now?"
    assert TOKENIZER.apply_chat_template(chat["messages"], **chat["apply_chat_template"]) == wanted
    request = json.loads(written(prompt, "vllm"))
    assert request["prefix"] + request["before_question"] + "What now?" + request["after_question"] == wanted
    assert request["request"]["prompt"] == wanted
    promptfoo = json.loads(written(prompt, "promptfoo"))["prompts"][0]["raw"]
    assert "What now?" not in promptfoo
    text = written(prompt, "urial")
    assert wanted.startswith(text)
    form = form_of(prompt.config.render)
    read = parse_prompt(text, expected=form).demonstrations
    assert [list(one.turns) for one in read] == form.read_as([one.turns for one in prompt.demonstrations])


def test_json_rows_are_read_as_a_pool_with_all_turns(tmp_path: Path) -> None:
    prompt = best([TWO, ONE])
    (tmp_path / "pool.json").write_text(json.dumps([row_of(one) for one in prompt.demonstrations]))
    pool = load_pool(PoolConfig(path=tmp_path / "pool.json", id_field="id"))
    assert tuple(pool.values()) == prompt.demonstrations
    assert row_of(prompt.demonstrations[1]) == {"id": "1", "query": "Plain?", "answer": "Plain."}


def test_messages_alternate_with_the_tag_as_a_system_message() -> None:
    chat: list[Any] = json.loads(written(best([TWO], "separation_tag='# Talk'"), "messages"))
    assert [one["role"] for one in chat] == ["system", "system", "user", "assistant", "user", "assistant", "system"]
    assert chat[1]["content"] == chat[-1]["content"] == "\n# Talk\n"


def test_dspy_gets_a_demonstration_a_turn() -> None:
    content = json.loads(written(best([TWO, ONE]), "dspy"))
    assert content["demos"] == [{"query": query, "answer": answer} for query, answer in [*TWO, *ONE]]


def test_whoever_exports_a_file_that_does_not_part_conversations_is_told() -> None:
    assert "which turns belong together" in caveat(best([TWO]), "urial")
    assert not caveat(best([ONE]), "urial")
    assert not caveat(best([TWO], "separation_tag='# Talk'"), "urial")
