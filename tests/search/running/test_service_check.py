import re
from pathlib import Path

import pytest

from configs.errors import InputError
from configs.loading import load_config
from configs.schema.run import RunConfig
from search.forecast.dry_run import forecast_run
from search.running.launch import launch
from search.running.service_check import refuse_unusable_services, service_notices, with_keys_to_come
from tests.service_server import Reaction, ServiceServer, error, page, sends


def _config(base_url: str, folder: Path) -> RunConfig:
    (folder / "rubric.txt").write_text("Rate from 1 to 10.\n{question}\n{answer}\n")
    service = f"{{model: judge-7, base_url: '{base_url}', api_key_variable: SOME_KEY}}"
    judge = f"judge={{kind: rubric, rubric_path: {folder / 'rubric.txt'}, service: {service}}}"
    return load_config("quickstart", [judge, "strategy={kind: random, trials: 2, insert: back}"])


@pytest.mark.heavy
def test_a_dry_run_says_that_a_model_is_unknown_where_a_key_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-0123456789abcdefghij")
    listing = page({"data": [{"id": "judge-8"}]})
    with ServiceServer(pages=lambda method, path, body: listing if path == "/v1/models" else None) as server:
        notes = forecast_run(_config(server.base_url, tmp_path)).notes
        assert not server.requests
    assert [note for note in notes if "does not list judge-7 among its 1 model; it has judge-8" in note]


@pytest.mark.heavy
def test_a_dry_run_demands_no_key_and_says_that_the_run_will(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    with ServiceServer() as server:
        config = _config(server.base_url, tmp_path)
        assert "the run will need a key in SOME_KEY, for judge.service" in forecast_run(config).notes
        with pytest.raises(InputError, match="SOME_KEY holds no key"):
            launch(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(401, "invalid_api_key", "no"), r"refused the key \(401\): put a valid one into SOME_KEY"),
        (sends(b"<html>a chat in your browser</html>", "text/html"), "answered with a web page .is base_url right"),
        (None, "lost or refused the connection"),
    ],
)
def test_a_dry_run_says_what_a_service_that_cannot_be_asked_for_its_models_does(
    answer: Reaction | None, words: str, tmp_path: Path
) -> None:
    with ServiceServer(pages=lambda method, path, body: answer) as server:
        address = server.base_url if answer else "http://127.0.0.1:9/v1"
        (sentence,) = service_notices(_config(address, tmp_path), {"SOME_KEY": "sk-0123456789abcdefghij"})
    assert re.match(f"judge.service: asked for its models, {address} {words}", sentence)


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_a_service_that_does_not_list_its_models_is_no_reason_to_say_anything(status: int, tmp_path: Path) -> None:
    with ServiceServer(pages=lambda method, path, body: error(status)) as server:
        assert service_notices(_config(server.base_url, tmp_path), {"SOME_KEY": "sk-0123456789abcdefghij"}) == []


def test_a_key_in_an_address_is_refused_with_the_setting_that_takes_it() -> None:
    service = "{model: m, base_url: 'http://127.0.0.1:9/sk-live-0123456789abcdef/v1', api_key_variable: null}"
    with pytest.raises(InputError, match="base_url_variable"):
        load_config("quickstart", [f"model={{engine: served, context_tokens: 512, service: {service}}}"])


def test_every_key_of_a_config_is_thought_of_once(tmp_path: Path) -> None:
    environment, missing = with_keys_to_come(_config("http://127.0.0.1:9/v1", tmp_path), {})
    assert [*environment] == ["SOME_KEY"]
    assert len(missing) == 1
    refuse_unusable_services(_config("http://127.0.0.1:9/v1", tmp_path), environment)
