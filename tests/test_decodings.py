"""A search that varies the decoding too, from its start to its exports; the model is behind a real server."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from rich.console import Console

from configs.errors import InputError, RunStopped
from configs.loading import load_config, load_evaluation, override_config
from configs.schema.run import RunConfig
from search.export import caveat, export
from search.export.best_prompt import read_best_prompt
from search.export.optuna_study import fill_study
from search.export.push import push
from search.forecast.dry_run import forecast_run
from search.problem.prompt_variant import load_variants
from search.report.forms import report
from search.results.answers_table import read_answers
from search.results.status import read_status
from search.run_directory.run import read_config
from search.running.launch import launch, resume
from tests.service_server import ServiceServer, says

QUIET = Console(quiet=True)
HOT = "{name: hot, temperature: 0.7, repetition_penalty: 1.1}"


def config(server: ServiceServer, folder: Path, *overrides: str, decodings: str = HOT) -> RunConfig:
    pool = [{"id": f"d{at}", "query": f"query {at}", "answer": f"answer {at}"} for at in range(3)]
    questions = [
        {"id": f"q{at}", "turns": [f"Question {at}?"], "reference": "An answer.", "split": split}
        for at, split in enumerate(["search", "held_out"] * 10)
    ]
    (folder / "pool.jsonl").write_text("\n".join(map(json.dumps, pool)))
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, questions)))
    (folder / "base.txt").write_text("The rules.\n")
    service = {"model": "toy", "base_url": server.base_url, "api_key_variable": None}
    model = {"engine": "served", "service": service, "server": "openai", "context_tokens": 4096}
    strategy = "kind: optuna, sampler: tpe, warm_start: none, trials: 6, max_demonstrations: 1"
    knobs = [
        f"base_prompt.path={folder / 'base.txt'}",
        f"pool.path={folder / 'pool.jsonl'}",
        f"questions.path={folder / 'questions.jsonl'}",
        f"model={json.dumps(model)}",
        f"strategy={{{strategy}, decodings: [{decodings}]}}",
        "decoding.max_new_tokens=8",
    ]
    return load_config("quickstart", [*knobs, *overrides])


def answer(request: dict[str, Any]) -> Any:
    """Only sampled answers are any good."""
    return says("An answer." if request["temperature"] > 0 else "No.")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished search, stopped in between and gone on with."""
    folder = tmp_path_factory.mktemp("decodings")
    path = folder / "run"
    with ServiceServer(answer) as server:
        with pytest.raises(RunStopped, match="budget"):
            launch(config(server, folder, "budget.generations=35"), path, QUIET)
        resume(path, QUIET, override_config(read_config(path), ["budget.generations=null"]))
        sent = {(one["temperature"], one.get("repetition_penalty", 1.0)) for one in server.requests}
    assert sent == {(0.0, 1.0), (0.7, 1.1)}
    return path


def test_the_winner_is_told_with_its_decoding(run: Path) -> None:
    winner = read_status(run).winner
    assert winner is not None
    assert winner.candidate.decoding == "hot"
    assert read_status(run).to_json()["decoding"] == "hot"


def without_keys(path: Path) -> list[dict[str, Any]]:
    """The journal but for its ledger keys, which know the server's address, and the checksum of all of it."""
    lines = (path / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        {name: value for name, value in json.loads(line).items() if name not in {"keys", "checksum"}} for line in lines
    ]


def test_a_search_that_was_stopped_takes_the_path_of_one_that_was_not(run: Path, tmp_path: Path) -> None:
    with ServiceServer(answer) as server:
        launch(config(server, tmp_path), tmp_path / "run", QUIET)
    assert without_keys(tmp_path / "run") == without_keys(run)


def test_the_report_shows_the_answers_of_each_decoding_and_says_how_the_winner_s_were_made(run: Path) -> None:
    page, text = report(run), report(run, "md")
    for shown in (page, text):
        assert "temperature 0.7, repetition penalty 1.1, 8 new tokens" in shown
        assert "decoding hot" in shown
    said = {(one.decoding, one.answers) for one in read_answers(run)}
    assert said == {("", ("No.",)), ("hot", ("An answer.",))}


def test_whoever_reads_report_or_card_is_told_that_the_decoding_did_it(run: Path, tmp_path: Path) -> None:
    push(run, tmp_path / "pushed")
    card = (tmp_path / "pushed" / "README.md").read_text()
    for said in (report(run), report(run, "md"), card):
        assert "The winner is the base prompt itself, decoded as “hot”: no demonstration was chosen." in said
    assert "0 in-context demonstrations and the decoding “hot”" in card
    assert "| decoding of the base prompt | temperature 0, 8 new tokens |" in card


def test_an_export_holds_the_decoding_or_its_reader_is_told(run: Path) -> None:
    found = read_best_prompt(run)
    record = json.loads(export(run, "json"))
    assert record["decoding"] == {"name": "hot", "temperature": 0.7, "repetition_penalty": 1.1}
    assert json.loads(export(run, "openai"))["temperature"] == 0.7
    assert json.loads(export(run, "vllm"))["request"]["repetition_penalty"] == 1.1
    assert caveat(found, "json") == ""
    assert "'hot' (temperature 0.7, repetition penalty 1.1, 8 new tokens)" in caveat(found, "urial")


def test_a_variant_read_from_the_export_answers_in_its_decoding_unless_it_says_otherwise(
    run: Path, tmp_path: Path
) -> None:
    path = tmp_path / "found.json"
    path.write_text(export(run, "json"))
    common = load_evaluation("evaluate_quickstart").model_dump()
    named = [
        {"name": "found", "prompt": path},
        {"name": "own", "prompt": path, "decoding": {"temperature": 0.1}},
        {"name": "rules", "prompt": path, "use": "rules"},
        {"name": "bare"},
    ]
    evaluation = load_evaluation("evaluate_quickstart").model_validate(common | {"variants": named})
    found, own, rules, bare = load_variants(evaluation)
    assert found.decoding == replace(bare.decoding, temperature=0.7, repetition_penalty=1.1)
    assert own.decoding.temperature == 0.1
    assert rules.decoding == bare.decoding


def test_an_export_whose_decoding_was_tampered_with_is_refused_by_name(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    path.write_text(json.dumps(json.loads(export(run, "json")) | {"decoding": {"heat": 1}}))
    common = load_evaluation("evaluate_quickstart").model_dump()
    named = common | {"variants": [{"name": "found", "prompt": path}]}
    with pytest.raises(InputError, match=r"found\.json: `decoding` was not written by demosearch"):
        load_variants(load_evaluation("evaluate_quickstart").model_validate(named))


@pytest.mark.heavy
def test_a_study_has_the_decoding_as_a_parameter(run: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    fill_study(run, url)
    trials = optuna.load_study(study_name="run", storage=url).trials
    assert {trial.params["decoding"] for trial in trials} == {"", "hot"}


def test_a_dry_run_reckons_with_the_longest_answers(tmp_path: Path) -> None:
    with ServiceServer(answer) as server:
        short, long = (
            forecast_run(config(server, tmp_path, decodings=f"{{name: x, temperature: 1, max_new_tokens: {tokens}}}"))
            for tokens in (8, 800)
        )
    written = [next(one.at_most or 0 for one in told.quantities if one.name == "new tokens") for told in (short, long)]
    assert written[1] == 100 * written[0] > 0


@pytest.mark.parametrize("nothing", ["temperature: 0", "top_p: 0.9", "top_k: 40"])
def test_a_decoding_that_changes_nothing_is_refused(nothing: str, tmp_path: Path) -> None:
    with ServiceServer(answer) as server:
        same = config(server, tmp_path, decodings=f"{{name: same, {nothing}}}")
        with pytest.raises(InputError, match="'same' does the same as `decoding`"):
            launch(same, tmp_path / "run", QUIET)
        assert not server.requests


def test_two_decodings_of_one_name_are_refused(tmp_path: Path) -> None:
    with ServiceServer(answer) as server, pytest.raises(InputError, match="two of decodings have the same name"):
        config(server, tmp_path, decodings="{name: x, temperature: 1}, {name: x, temperature: 2}")


def test_a_name_that_would_be_misread_is_refused_in_words(tmp_path: Path) -> None:
    with ServiceServer(answer) as server, pytest.raises(InputError, match="'a:b' must begin with a letter"):
        config(server, tmp_path, decodings="{name: 'a:b', temperature: 1}")


def test_other_strategies_have_no_such_knob() -> None:
    with pytest.raises(InputError, match="it belongs to the kind optuna, custom"):
        load_config("quickstart", ["strategy={kind: screening, decodings: []}"])
