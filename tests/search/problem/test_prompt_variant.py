"""A variant's prompt comes from whatever file people have."""

import json
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError
from configs.loading import load_evaluation
from configs.schema.data import RenderConfig
from configs.schema.evaluation import EvaluationConfig
from evaluators.question import Question
from search.problem.prompt_variant import PromptVariant, load_variants
from search.prompts.render import UrialRenderer
from search.prompts.urial import BACKTICKS, V5, form_of

PAIRS = [("How?", "So."), ("Why?", "Because.")]
QUESTION = Question("q", ("What now?",))


def evaluation(*variants: dict[str, Any], **more: Any) -> EvaluationConfig:
    common = load_evaluation("evaluate_quickstart").model_dump()
    return EvaluationConfig.model_validate(common | {"variants": list(variants)} | more)


def load(**knobs: Any) -> PromptVariant:
    (one,) = load_variants(evaluation({"name": "one", **knobs}))
    return one


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    urial = "The rules.\n" + "".join(BACKTICKS.turn(*pair) for pair in PAIRS)
    rows = [{"query": query, "answer": answer} for query, answer in PAIRS]
    content = {
        "prompt.txt": urial,
        "export.json": json.dumps({"rules": "The rules.\n", "demonstrations": rows, "template": "urial_backticks"}),
        "list.json": json.dumps(rows),
        "list.jsonl": "\n".join(json.dumps(row) for row in rows),
        "rules.txt": "Other rules.\n",
    }
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    return {name: tmp_path / name for name in content}


@pytest.mark.parametrize(
    ("name", "rules"),
    [("prompt.txt", "The rules.\n"), ("export.json", "The rules.\n"), ("list.json", ""), ("list.jsonl", "")],
)
def test_a_prompt_is_a_urial_file_an_export_or_a_list(name: str, rules: str, files: dict[str, Path]) -> None:
    one = load(prompt=files[name])
    assert one.rules == rules
    assert [(shown.query, shown.answer) for shown in one.demonstrations] == PAIRS


def test_a_list_of_conversations_has_the_system_message_that_they_share_as_its_rules(tmp_path: Path) -> None:
    row = {"messages": [{"role": role, "content": role} for role in ("system", "user", "assistant")]}
    (tmp_path / "list.jsonl").write_text(json.dumps(row))
    one = load(prompt=tmp_path / "list.jsonl")
    assert (one.rules, [shown.texts for shown in one.demonstrations]) == ("system\n", [("user", "assistant")])
    assert load(prompt=tmp_path / "list.jsonl", use="demonstrations").rules == ""


def test_a_urial_file_is_put_to_the_model_byte_for_byte(files: dict[str, Path]) -> None:
    block = load(prompt=files["prompt.txt"]).block([QUESTION])
    assert block.prefix == files["prompt.txt"].read_text()


def test_an_export_is_the_same_prompt_as_the_file_it_was_exported_to(files: dict[str, Path]) -> None:
    assert load(prompt=files["export.json"]).digest == load(prompt=files["prompt.txt"]).digest


def test_nothing_is_a_prompt_too() -> None:
    assert load().block([QUESTION]).prompt(0) == BACKTICKS.question("What now?")


def test_rules_alone_demonstrations_alone_and_a_few_of_them(files: dict[str, Path]) -> None:
    path = files["prompt.txt"]
    assert load(prompt=path, use="rules").demonstrations == ()
    assert load(prompt=path, use="demonstrations").rules == ""
    assert len(load(prompt=path, max_demonstrations=1).demonstrations) == 1
    assert load(prompt=files["list.jsonl"], rules=files["rules.txt"]).rules == "Other rules.\n"
    assert load(rules=files["rules.txt"]).demonstrations == ()


def test_a_demonstration_may_stand_twice(tmp_path: Path) -> None:
    (tmp_path / "twice.jsonl").write_text(
        json.dumps({"query": "How?", "answer": "So."}) + "\n" * 1 + json.dumps({"query": "How?", "answer": "So."})
    )
    first, second = load(prompt=tmp_path / "twice.jsonl").demonstrations
    assert first.id != second.id


def test_a_variant_may_have_a_template_and_a_decoding_of_its_own() -> None:
    own, common = load_variants(
        evaluation(
            {"name": "own", "render": {"template": "urial_v5"}, "decoding": {"max_new_tokens": 7, "stop": ["#"]}},
            {"name": "common"},
        )
    )
    assert own.block([QUESTION]).prompt(0) == V5.question("What now?")
    assert (own.decoding.max_new_tokens, own.decoding.stop) == (7, ("#",))
    assert common.decoding.stop == UrialRenderer(BACKTICKS).stop


BAD = {
    "broken.json": ('{"rules": ', "not JSON"),
    "other.json": ('{"prompt": "x"}', "not an export of demosearch"),
    "empty.jsonl": ('{"query": " ", "answer": "So."}', "the query or the answer is empty"),
    "fields.jsonl": ('{"question": "How?", "answer": "So."}', "no field 'query'"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_prompt_is_refused_by_name(name: str, tmp_path: Path) -> None:
    text, sentence = BAD[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=sentence) as refused:
        load(prompt=tmp_path / name)
    assert name in str(refused.value)


def test_two_variants_of_one_name_and_a_knob_with_a_typo_are_refused() -> None:
    with pytest.raises(InputError, match="two variants are called 'a'"):
        load_evaluation("evaluate_quickstart", ["variants=[{name: a}, {name: a}]"])
    with pytest.raises(InputError, match=r"`variants\[0\].promt`: unknown setting; did you mean `variants"):
        load_evaluation("evaluate_quickstart", ["variants=[{name: a, promt: b}]"])


def test_prompts_of_the_command_line_add_to_the_config_or_replace_in_it(files: dict[str, Path]) -> None:
    prompts = {"found": str(files["prompt.txt"]), "base prompt": ""}
    config = load_evaluation("evaluate_quickstart", [], prompts)
    by_name = {one.name: one.prompt for one in config.variants}
    assert by_name == {"base prompt": None, "no prompt": None, "rules only": by_name["rules only"]} | {
        "found": files["prompt.txt"]
    }


def test_a_list_an_export_and_a_tagged_file_hold_the_turns_of_a_demonstration(tmp_path: Path) -> None:
    pairs = ((*PAIRS,), (("Else?", "No."),))
    rows = [{"query": [query for query, _ in turns], "answer": [answer for _, answer in turns]} for turns in pairs]
    (tmp_path / "list.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (tmp_path / "export.json").write_text(json.dumps({"rules": "", "demonstrations": rows}))
    render = RenderConfig(separation_tag="# Talk")
    (tmp_path / "prompt.txt").write_text("".join(form_of(render).demonstration(turns) for turns in pairs))
    read = [load(prompt=tmp_path / name, render=render) for name in ("list.jsonl", "export.json", "prompt.txt")]
    assert [[one.turns for one in variant.demonstrations] for variant in read] == [[*pairs]] * 3
    assert len({variant.digest for variant in read}) == 1
    assert len({variant.block([QUESTION]).prompt(0) for variant in read}) == 1


def test_an_export_brings_its_separation_tag_where_the_evaluation_has_none(tmp_path: Path) -> None:
    tag = {"separation_tag": "# Talk", "separation_tag_between": "turns"}
    content = {"rules": "", "demonstrations": [{"query": ["a", "c"], "answer": ["b", "d"]}], **tag}
    (tmp_path / "found.json").write_text(json.dumps(content))
    assert load(prompt=tmp_path / "found.json").render == RenderConfig.model_validate(tag)
    (own,) = load_variants(
        evaluation({"name": "one", "prompt": tmp_path / "found.json"}, render={"separation_tag": "# My"})
    )
    assert own.render == RenderConfig(separation_tag="# My")
    assert load(prompt=tmp_path / "found.json", render={}).render == RenderConfig()
    assert load(prompt=tmp_path / "found.json", use="demonstrations").render == RenderConfig()
    (tmp_path / "found.json").write_text(json.dumps(content | {"separation_tag": 3}))
    with pytest.raises(InputError, match="`separation_tag` was not written by demosearch"):
        load(prompt=tmp_path / "found.json")
