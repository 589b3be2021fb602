"""A key in a config would be kept with every run."""

import pytest

from configs.errors import InputError
from configs.loading import load_config, preset_names
from configs.schema.service import ServiceConfig
from configs.secrets import secrets_in

KEY = "sk-proj-Zk3vQ9tLmX7aBc2dEfGh4jKp"
FUNCTION = "kind: function, function: 'judge:score'"


@pytest.mark.parametrize(
    ("override", "place"),
    [
        (f"judge={{{FUNCTION}, options: {{api_key: anything}}}}", "judge.options.api_key"),
        (f"judge={{{FUNCTION}, options: {{nested: [1, {{text: 'use {KEY}'}}]}}}}", "judge.options.nested[1].text"),
        (f"judge.service.extra_body={{user: {KEY}}}", "judge.service.extra_body.user"),
        ("judge.service.headers={X-Note: 'Bearer abcdefghijkl0123'}", "judge.service.headers.X-Note"),
        ("strategy.options={password: x}", "strategy.options.password"),
        (f"judge.service.model={KEY}", "judge.service.model"),
    ],
)
def test_a_config_with_a_key_in_it_is_refused_without_repeating_the_key(override: str, place: str) -> None:
    with pytest.raises(InputError, match="seems to hold a key or password") as caught:
        load_config("quickstart", [override])
    assert f"`{place}`" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        {"api_key_variable": "OPENAI_API_KEY", "max_tokens": "12", "options": {"tokens": "a", "key": "column"}},
        {"path": "/data/sk-learn/risk-assessment-benchmark-v2/questions.jsonl", "name": "hf_transformers_model"},
        {"api_key": None, "authorization": "", "password": 7},
    ],
)
def test_what_is_no_secret_is_none(value: dict[str, object]) -> None:
    assert [*secrets_in(value)] == []


@pytest.mark.parametrize(
    "key",
    [
        "a123456789abcdef0123456789abcdef",
        "0123456789abcdef0123456789abcdef",
        "fw_3ZabcdefghijklmnopQRst",
        "my key",
        "https://host/v1",
        "a-b",
        "",
    ],
)
@pytest.mark.parametrize(
    "knob", ["api_key_variable='%s'", "base_url_variable='%s'", "header_variables={api-key: '%s'}"]
)
def test_a_key_in_the_place_of_a_variable_s_name_is_refused_without_repeating_it(knob: str, key: str) -> None:
    with pytest.raises(InputError) as caught:
        load_config(
            "quickstart", ["judge={kind: rubric, rubric_path: x, service: {model: m}}", f"judge.service.{knob % key}"]
        )
    assert not key or key not in str(caught.value)


def test_a_secret_header_is_given_by_the_name_of_its_variable_as_azure_wants_it() -> None:
    judge = "{kind: rubric, rubric_path: x, service: {model: m, header_variables: {api-key: AZURE, Authorization: B}}}"
    assert load_config("quickstart", [f"judge={judge}"]).judge.kind == "rubric"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "_K2", "AZURE_OPENAI_API_KEY_EU_2", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"])
def test_a_variable_s_name_is_taken(name: str) -> None:
    assert ServiceConfig(model="m", api_key_variable=name).api_key_variable == name


@pytest.mark.parametrize("name", preset_names())
def test_no_preset_holds_one(name: str) -> None:
    load_config(name)
