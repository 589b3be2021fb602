"""A key in a config would be kept with every run."""

import pytest

from configs.errors import InputError
from configs.loading import load_config, preset_names
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


@pytest.mark.parametrize("name", preset_names())
def test_no_preset_holds_one(name: str) -> None:
    load_config(name)
