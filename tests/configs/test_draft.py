"""A first config is one that loads, says what the data have, and never overwrites anything."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from configs.draft import DEFAULT_RULES, SCHEMA, Draft, JudgeKind
from configs.errors import InputError
from configs.loading import load_config
from configs.usual_fields import pool_fields, question_fields
from search.problem.pool import load_pool


def rows(path: Path, *content: Mapping[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
    return path


def draft(folder: Path, judge: JudgeKind = "reference", judge_name: str = "some/judge: a", gpus: int = 0) -> Draft:
    questions = rows(folder / "q: 1.jsonl", {"instruction": "Why?", "category": "", "output": "Because."})
    pool = rows(folder / "data.jsonl", {"prompt": "How?", "response": "So."})
    return Draft("org/model", questions, pool, None, judge, judge_name, gpus)


@pytest.mark.parametrize("judge", get_args(JudgeKind))
@pytest.mark.parametrize("gpus", [0, 8])
def test_every_draft_loads_with_the_fields_that_the_data_have(tmp_path: Path, judge: JudgeKind, gpus: int) -> None:
    name = "module:function" if judge == "function" else "some/judge: a"
    draft(tmp_path, judge, name, gpus).write(tmp_path / "my.yaml")
    config = load_config(tmp_path / "my.yaml")
    assert config.judge.kind == judge
    assert (config.questions.query_field, config.questions.reference_field) == ("instruction", "output")
    assert (config.pool.query_field, config.pool.answer_field) == ("prompt", "response")
    assert config.questions.path == tmp_path / "q: 1.jsonl"
    assert (config.workers.kind, config.workers.count if gpus else 0) == (("ray", 8) if gpus else ("local", 0))
    assert config.forecast.answer_tokens == 256
    assert (config.forecast.verdict_tokens is not None) == (judge == "rubric")
    assert (config.forecast.tokens_per_second, config.forecast.gpus) == ((20_000, 8) if gpus else (50, 0))
    assert config.base_prompt.path.read_text(encoding="utf-8") == DEFAULT_RULES


def test_an_editor_is_told_of_a_schema_that_takes_the_draft_and_refuses_a_misspelt_setting(tmp_path: Path) -> None:
    draft(tmp_path).write(tmp_path / "my.yaml")
    text = (tmp_path / "my.yaml").read_text(encoding="utf-8")
    schema = json.loads((tmp_path / SCHEMA).read_text(encoding="utf-8"))
    assert text.startswith(f"# yaml-language-server: $schema={SCHEMA}\n")
    jsonschema.validate(yaml.safe_load(text), schema)
    with pytest.raises(jsonschema.ValidationError, match="'sede' was unexpected"):
        jsonschema.validate(yaml.safe_load(text) | {"sede": 1}, schema)


@pytest.mark.parametrize(("weights", "speed"), [(10**9, 100), (10**6, 2000), (10**12, 1)])
def test_the_speed_of_a_cpu_is_guessed_from_the_size_of_the_weights(tmp_path: Path, weights: int, speed: int) -> None:
    (tmp_path / "model").mkdir()
    with (tmp_path / "model" / "model.safetensors").open("wb") as file:
        file.truncate(weights)  # takes no room
    written = replace(draft(tmp_path), model=str(tmp_path / "model")).write(tmp_path / "my.yaml")
    assert load_config(written[0]).forecast.tokens_per_second == speed


def test_what_is_there_already_is_never_overwritten_but_for_an_older_schema(tmp_path: Path) -> None:
    (tmp_path / "base_prompt.txt").write_text("mine", encoding="utf-8")
    (tmp_path / SCHEMA).write_text("older", encoding="utf-8")
    assert draft(tmp_path).write(tmp_path / "my.yaml") == [tmp_path / "my.yaml", tmp_path / SCHEMA]
    with pytest.raises(InputError, match="already exists"):
        draft(tmp_path).write(tmp_path / "my.yaml")
    assert (tmp_path / "base_prompt.txt").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / SCHEMA).read_text(encoding="utf-8") != "older"


def test_a_judge_that_cannot_judge_these_questions_is_refused(tmp_path: Path) -> None:
    questions = rows(tmp_path / "bare.jsonl", {"query": "Why?"})
    pool = rows(tmp_path / "pool.jsonl", {"query": "How?", "answer": "So."})
    with pytest.raises(InputError, match=r"has query, but none of reference.* which the judge 'reference' needs"):
        Draft("m", questions, pool, None, "reference", "", 0).write(tmp_path / "my.yaml")
    with pytest.raises(InputError, match="needs a name: give --judge-name"):
        Draft("m", questions, pool, None, "rubric", "", 0).write(tmp_path / "my.yaml")
    assert not (tmp_path / "my.yaml").exists()


def test_rows_without_a_known_field_are_named_with_what_they_have(tmp_path: Path) -> None:
    questions = rows(tmp_path / "odd.jsonl", {"frage": "Warum?", "antwort": "Darum."})
    with pytest.raises(InputError, match=r"odd.jsonl, line 1: has frage, antwort, but none of query"):
        Draft("m", questions, questions, None, "function", "a:b", 0).write(tmp_path / "my.yaml")


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ({"messages": [{"role": "user", "content": "Why?"}]}, ("messages[0].content", None)),
        (
            {
                "conversations": [
                    {"from": "system", "value": "Hm."},
                    {"from": "human", "value": "Why?"},
                    {"from": "gpt", "value": "So."},
                ]
            },
            ("conversations[1].value", "conversations[2].value"),
        ),
        ({"conversations": ["Why?", "Because."]}, ("conversations[0]", "conversations[1]")),
        (
            {
                "conversations": [
                    {"from": "gpt", "value": "Hello!"},
                    {"from": "human", "value": "Why?"},
                    {"from": "gpt", "value": "So."},
                ]
            },
            ("conversations[1].value", "conversations[2].value"),
        ),
        (
            {"messages": [{"role": role, "content": "x"} for role in ("developer", "user", "user")]},
            ("messages[1].content", None),
        ),
        ({"messages": [{"role": "user", "content": "Why?"}], "gold": "Because."}, ("messages[0].content", "gold")),
    ],
)
def test_a_conversation_is_a_question_by_its_users_first_message_and_a_reference_by_the_answer_to_it(
    tmp_path: Path, row: dict[str, object], fields: tuple[str, str | None]
) -> None:
    assert question_fields(rows(tmp_path / "spoken.jsonl", row)) == fields


@pytest.mark.parametrize("roles", ["ua", "uua", "suua", "sa", ""])
def test_conversations_that_have_the_question_or_its_answer_in_another_place_are_refused_with_theirs(
    tmp_path: Path, roles: str
) -> None:
    said = {"s": "system", "u": "user", "a": "assistant"}
    spoken = [{"messages": [{"role": said[role], "content": "x"} for role in turns]} for turns in ("sua", "su", roles)]
    with pytest.raises(InputError, match=r"line 3: .*messages\[1\]\.content and messages\[2\]\.content"):
        question_fields(rows(tmp_path / "spoken.jsonl", *spoken))


def test_a_field_that_is_missing_is_named_by_its_own_setting(tmp_path: Path) -> None:
    questions, pool = (rows(tmp_path / name, {"frage": "Warum?"}) for name in ("questions.jsonl", "pool.jsonl"))
    with pytest.raises(InputError, match=r"with `questions\.query_field: "):
        question_fields(questions)
    with pytest.raises(InputError, match=r"with `pool\.query_field: "):
        pool_fields(pool)


def test_fields_inside_others_are_found_and_written_as_the_knobs_take_them(tmp_path: Path) -> None:
    made = draft(tmp_path)
    rows(made.pool, {"id": "1", "instances": [{"input": "How?", "output": "So."}]})
    rows(made.questions, {"data": {"question": "Why?", "answer": "Because."}})
    made.write(tmp_path / "my.yaml")
    config = load_config(tmp_path / "my.yaml")
    assert [one.texts for one in load_pool(config.pool).values()] == [("How?", "So.")]
    assert (config.questions.query_field, config.questions.reference_field) == ("data.question", "data.answer")


def test_a_system_message_that_all_of_a_pool_share_becomes_the_rules_that_are_written(tmp_path: Path) -> None:
    made = draft(tmp_path)
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How?"}]
    rows(made.pool, {"messages": [*said, {"role": "assistant", "content": "So."}]})
    made.write(tmp_path / "my.yaml")
    assert load_config(tmp_path / "my.yaml").base_prompt.path.read_text(encoding="utf-8") == "Be brief.\n"
    rows(made.pool, {"messages": said}, {"messages": said[1:]})
    with pytest.raises(InputError, match=r"line 2: has no system message, unlike .*line 1"):
        pool_fields(made.pool)


def test_conversations_beside_the_fields_that_a_pool_is_read_by_make_no_rules_and_no_error(tmp_path: Path) -> None:
    read: dict[str, object] = {"prompt": "How?", "response": "So."}
    said = [{"messages": [{"role": "system", "content": text}]} for text in ("Be brief.", "Be kind.")]
    made = draft(tmp_path)
    assert pool_fields(rows(made.pool, {**read, **said[0]}, {**read, **said[1]})) == ("prompt", "response", "")
    rows(made.pool, {**read, **said[0]})
    made.write(tmp_path / "my.yaml")
    assert load_config(tmp_path / "my.yaml").base_prompt.path.read_text(encoding="utf-8") == DEFAULT_RULES


@pytest.mark.parametrize("field", ["messages", "conversations"])
def test_a_pool_of_conversations_needs_no_field_of_its_own(tmp_path: Path, field: str) -> None:
    made = draft(tmp_path)
    rows(made.pool, {"text": "for whoever prints it", field: ["How?", "So.", "Why?", "Because."]})
    made.write(tmp_path / "my.yaml")
    pool = load_pool(load_config(tmp_path / "my.yaml").pool)
    assert [one.texts for one in pool.values()] == [("How?", "So.", "Why?", "Because.")]
