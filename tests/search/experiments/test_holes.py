"""Cells that cannot run, mistakes that are no holes, and a served model in an experiment."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from configs.errors import InputError, RunStopped
from search.experiments.catalogue import experiment_named
from search.experiments.forecast import ExperimentForecast, forecast_experiment
from search.experiments.found_sets import FoundSet
from search.experiments.grid import evaluation_of, make_grid
from search.experiments.results import ExperimentResults
from search.experiments.run import run_experiment
from search.run_directory.variant_records import read_variant_records
from search.running.evaluate import evaluate
from tests.search.experiments.toy import QUICKSTART, toy_config
from tests.service_server import Reaction, Request, ServiceServer, error, page

pytestmark = pytest.mark.heavy

_MODEL = {"name": str(QUICKSTART / "model"), "dtype": "float32"}


def _run(name: str, path: Path, **changes: Any) -> ExperimentResults:
    return run_experiment(experiment_named(name), toy_config(path, **changes), path / "run", images=False)


def test_an_evaluation_leaves_out_the_prompts_that_its_model_cannot_hold_and_says_how_long_they_are(
    tmp_path: Path,
) -> None:
    config = toy_config(tmp_path, many_shot={"counts": [3, 20], "draws": 1, "unsupervised": False})
    grid = make_grid(experiment_named("many_shot"), config, {}, tmp_path)
    evaluation = evaluation_of(grid, config.benchmarks[0], {}, tmp_path / "prompts", tmp_path / "ledger.sqlite")
    short = evaluation.variants[0].model.model_copy(update={"context_tokens": 420})  # type: ignore[union-attr]
    variants = tuple(one.model_copy(update={"model": short}) for one in evaluation.variants)
    evaluate(evaluation.model_copy(update={"variants": variants}), tmp_path / "run", leave_out=True)
    records = read_variant_records(tmp_path / "run")
    assert len(records) == len(variants)
    too_long = records["examples random, n 20, draw 1"]
    assert not too_long.scored.scores
    assert "more than the model's context of 420" in too_long.not_asked
    assert records["examples random, n 3, draw 1"].scored.scores


def _answer(request: Request) -> Reaction:
    """A served model that holds 1,600 characters and repeats the end of what it read."""
    prompt = request["prompt"]
    if len(prompt) > 1600:
        return error(400, message="This model's maximum context length is 400 tokens: shorten the prompt")
    choice = {"text": prompt[-40:], "finish_reason": "stop"}
    return page({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 9}})


def test_what_a_served_model_refuses_as_too_long_is_a_hole_and_the_rest_goes_on(tmp_path: Path) -> None:
    with ServiceServer(_answer) as server:
        service = {"model": "m", "base_url": server.base_url, "api_key_variable": None, "max_retries": 0}
        served = {"engine": "served", "server": "openai", "service": service, "context_tokens": 4000}
        shots = {"counts": [3, 20], "draws": 1, "unsupervised": False}
        results = _run("many_shot", tmp_path, model=served, instruct=None, many_shot=shots)
        asked = len(server.requests)
        again = _run("many_shot", tmp_path, model=served, instruct=None, many_shot=shots)
    assert {(hole.condition["examples"], hole.condition["n"]) for hole in results.holes} == {
        ("random", 20),
        ("random and base prompt", 20),
    }
    assert all("context too short: the model refused a prompt" in hole.reason for hole in results.holes)
    assert {row.condition["n"] for row in results.rows if row.score is not None} == {0, 3}
    assert again.rows == results.rows
    assert asked


def test_second_turns_that_do_not_fit_behind_long_answers_make_a_context_too_short(tmp_path: Path) -> None:
    choice = {"text": "word " * 300, "finish_reason": "stop"}
    answer = page({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 300}})
    with ServiceServer(lambda _: answer) as server:
        service = {"model": "m", "base_url": server.base_url, "api_key_variable": None, "max_retries": 0}
        served = {"engine": "served", "server": "openai", "service": service, "context_tokens": 300}
        decoding = {"max_new_tokens": 10}
        results = _run("components", tmp_path, model=served, components={"counts": [0]}, decoding=decoding)
    reasons = [hole.reason for hole in results.holes if "questions do not fit with the answers so far" in hole.reason]
    assert reasons
    assert all(reason.startswith("context too short: ") for reason in reasons)


@pytest.mark.parametrize(
    "mistake",
    [
        {"instruct": {"name": str(QUICKSTART / "no_such_model")}},
        {"model": {"name": str(QUICKSTART / "no_such_model")}, "instruct": None},
        {"aligned": {"pairs": [{"name": "other", "model": {"name": "./nowhere"}}]}},
    ],
    ids=["instruct", "model", "a further pair's"],
)
def test_a_wrong_model_name_is_refused_before_anything_is_spent_and_is_no_hole(
    mistake: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"no_such_model|nowhere"):
        _run("aligned", tmp_path, **mistake)
    assert not (tmp_path / "run").exists()


def _damaged(folder: Path) -> Path:
    """The instruct toy, its weights cut short."""
    shutil.copytree(QUICKSTART / "instruct", folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    return folder


def test_a_model_whose_weights_cannot_be_loaded_is_a_hole_until_they_can_and_what_it_scored_stays(
    tmp_path: Path,
) -> None:
    broken = _damaged(tmp_path / "broken")
    changes = {"instruct": {"name": str(broken), "dtype": "float32"}}
    results = _run("aligned", tmp_path, **changes)
    (hole,) = results.holes
    assert hole.condition["asked"] == "instruct"
    assert hole.reason.startswith("its model cannot be loaded: no model could be loaded from")
    assert [row.score is None for row in results.rows if row.measure.turn is None] == [False, False, True]
    assert "2 cells have run, 1 is missing" in (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
    shutil.copy(QUICKSTART / "instruct" / "model.safetensors", broken / "model.safetensors")
    repaired = _run("aligned", tmp_path, **changes)
    assert not repaired.holes
    assert all(row.score is not None for row in repaired.rows)
    shutil.rmtree(broken)
    _damaged(broken)
    assert _run("aligned", tmp_path, **changes).rows == repaired.rows


def test_servers_that_never_come_up_are_holes_and_the_rest_goes_on(tmp_path: Path) -> None:
    service = {"model": "m", "base_url": "http://127.0.0.1:9/v1", "api_key_variable": None, "max_retries": 0}
    asked = {
        "ends at once": {"engine": "vllm", "name": _MODEL["name"], "command": ["false"], "context_tokens": 512},
        "not there": {"engine": "vllm", "name": _MODEL["name"], "command": ["/no/such"], "context_tokens": 512},
        "unreachable": {"engine": "served", "server": "openai", "service": service, "context_tokens": 4000},
    }
    pairs = [{"name": name, "model": model} for name, model in asked.items()]
    config, told = toy_config(tmp_path, aligned={"pairs": pairs}), list[ExperimentForecast]()
    results = run_experiment(experiment_named("aligned"), config, tmp_path / "run", images=False, tell=told.append)
    assert any("cannot be loaded on this machine: model.engine is vllm" in note for note in told[0].notes)
    reasons = {hole.condition["pair"]: hole.reason for hole in results.holes if hole.condition["asked"] != "instruct"}
    assert {*reasons} == {*asked}
    assert all(reason.startswith("its model cannot be loaded: ") for reason in reasons.values())
    assert {row.condition["pair"] for row in results.rows if row.score is not None} == {"toy"}


def test_where_no_model_at_all_can_be_loaded_the_experiment_says_why(tmp_path: Path) -> None:
    broken = {"name": str(_damaged(tmp_path / "broken")), "dtype": "float32"}
    with pytest.raises(InputError, match="no model could be loaded from"):
        _run("aligned", tmp_path, model=broken, instruct=broken)


def test_a_tokenizer_that_cannot_be_loaded_is_a_hole(tmp_path: Path) -> None:
    broken = _damaged(tmp_path / "broken")
    (broken / "tokenizer.json").write_text("{", encoding="utf-8")
    results = _run("aligned", tmp_path, instruct={"name": str(broken), "dtype": "float32"})
    (hole,) = results.holes
    assert "the tokenizer of" in hole.reason


def test_trainings_that_diverge_are_holes_and_the_same_examples_in_context_are_not(tmp_path: Path) -> None:
    finetuning = {"learning_rate": 1e30, "lora": {"learning_rate": 1e30}}
    results = _run("icl_vs_finetuning", tmp_path, icl_vs_finetuning={"counts": [3], "draws": 1}, finetuning=finetuning)
    assert {hole.condition["examples"] for hole in results.holes} == {"fine-tuned (full)", "fine-tuned (lora)"}
    assert all("the training diverged" in hole.reason for hole in results.holes)
    assert {row.condition["examples"] for row in results.rows if row.score} == {"none", "in context", "instruct model"}


def test_an_objective_that_the_questions_do_not_have_is_refused_and_is_no_hole(tmp_path: Path) -> None:
    single = tmp_path / "single.jsonl"
    single.write_text('{"id": "a", "turns": ["What is the capital of Peru?"], "reference": ["Lima"]}\n', "utf-8")
    config = toy_config(tmp_path)
    judge = config.benchmarks[0].judge.model_dump(mode="json")
    wrong = {
        "name": "second turn",
        "questions": {"path": str(single), "query_field": "turns"},
        "judge": judge,
        "scoring": {"objective": "turn_2"},
    }
    with pytest.raises(InputError, match="fewer turns"):
        _run("aligned", tmp_path, benchmarks=[config.benchmarks[0].model_dump(mode="json"), wrong])
    assert not (tmp_path / "run").exists()


def test_a_mistake_of_the_second_benchmark_is_refused_before_the_search_that_comes_first(tmp_path: Path) -> None:
    config = toy_config(tmp_path)
    first = config.benchmarks[0].model_dump(mode="json")
    (tmp_path / "rubric.txt").write_text("Rate {answer} to {question}: [[rating]]", encoding="utf-8")
    service = {"model": "judge", "api_key_variable": "NO_SUCH_KEY_IS_SET"}
    rubric = {"kind": "rubric", "rubric_path": str(tmp_path / "rubric.txt"), "service": service}
    with pytest.raises(InputError, match="NO_SUCH_KEY_IS_SET"):
        _run("greedy", tmp_path, benchmarks=[first, first | {"name": "other", "judge": rubric}])
    assert not (tmp_path / "run").exists()


_MILD = {"name": "mild", "repetition_penalty": 1.05}
_OPTUNA = {"kind": "optuna", "trials": 4, "max_demonstrations": 1, "decodings": [_MILD]}
_RANDOM = {"name": "found", "strategy": {"kind": "random", "trials": 2, "max_demonstrations": 2}}
SEARCHING: dict[str, Any] = {
    "greedy": {"strategies": [_RANDOM]},
    "transfer": {"strategies": [_RANDOM], "models": [{"name": "other", "model": _MODEL}]},
    "decoding_sweep": {"temperatures": [0.0], "top_ps": [1.0], "repetition_penalties": [1.0], "strategy": _OPTUNA},
}
HOLES = {"greedy": 2, "transfer": 4, "decoding": 2}
"""Of prompts that the search would have found."""


@pytest.mark.parametrize("name", HOLES)
def test_a_search_whose_questions_have_no_references_makes_holes_and_the_rest_goes_on(
    name: str, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.jsonl"
    bare.write_text('{"id": "a", "turns": ["Why?"]}\n{"id": "b", "turns": ["How?"]}\n', encoding="utf-8")
    greedy = SEARCHING["greedy"] | {"questions": {"path": str(bare), "query_field": "turns"}}
    config = toy_config(tmp_path, **SEARCHING | {"greedy": greedy})
    forecast = forecast_experiment(experiment_named(name), config, None)
    results = run_experiment(experiment_named(name), config, tmp_path / "run", images=False)
    assert len(results.holes) == HOLES[name]
    assert all("the search cannot run: " in hole.reason and "reference" in hole.reason for hole in results.holes)
    assert {hole.name for hole in forecast.holes} == {hole.name for hole in results.holes}
    assert [row for row in results.rows if row.score is not None]


def test_a_search_whose_base_prompt_does_not_fit_makes_holes_and_the_rest_goes_on(tmp_path: Path) -> None:
    config = toy_config(tmp_path, model=_MODEL | {"context_tokens": 160}, **SEARCHING)
    forecast = forecast_experiment(experiment_named("decoding"), config, None)
    results = run_experiment(experiment_named("decoding"), config, tmp_path / "run", images=False)
    searched = [hole for hole in results.holes if "searched" in str(hole.condition["model"])]
    assert len(searched) == HOLES["decoding"]
    assert all("the search cannot run: the base prompt with the longest" in hole.reason for hole in searched)
    assert {hole.name for hole in forecast.holes} == {hole.name for hole in results.holes}
    assert {row.condition["model"] for row in results.rows if row.score is not None} == {"base", "instruct"}
    assert not (tmp_path / "run" / "searches" / "searched").exists()


def test_a_search_whose_base_prompt_a_served_model_refuses_makes_holes(tmp_path: Path) -> None:
    def refuse_long(request: Request) -> Reaction:
        return error(400, message="maximum context length") if len(request["prompt"]) > 300 else _answer(request)

    with ServiceServer(refuse_long) as server:
        service = {"model": "m", "base_url": server.base_url, "api_key_variable": None, "max_retries": 0}
        served = {"engine": "served", "server": "openai", "service": service, "context_tokens": 4000}
        changes = {"model": served, "instruct": None, **SEARCHING}
        tables = []
        for _ in range(2):
            with pytest.raises(RunStopped, match="no cell of the table could be scored"):
                _run("greedy", tmp_path, **changes)
            tables.append(json.loads((tmp_path / "run" / "table.json").read_text(encoding="utf-8")))
    searched = [hole["reason"] for hole in tables[0]["holes"] if hole["cell"].startswith("strategy found")]
    assert len(searched) == HOLES["greedy"]
    assert all("the search cannot run: the base prompt with a search question is too long" in one for one in searched)
    assert tables[1]["holes"] == tables[0]["holes"]


def test_trainings_of_a_model_that_is_asked_in_its_chat_template_are_holes(tmp_path: Path) -> None:
    model = {"name": str(QUICKSTART / "instruct"), "dtype": "float32"}
    changes = {"model": model, "render": {"template": "chat"}, "icl_vs_finetuning": {"counts": [3], "draws": 1}}
    results = _run("icl_vs_finetuning", tmp_path, **changes)
    assert {hole.condition["examples"] for hole in results.holes} == {"fine-tuned (full)", "fine-tuned (lora)"}
    assert all("set render.template" in hole.reason for hole in results.holes)


def test_a_benchmark_for_some_experiments_is_in_their_tables_alone(tmp_path: Path) -> None:
    first = toy_config(tmp_path).benchmarks[0].model_dump(mode="json")
    benchmarks = [first, first | {"name": "second", "experiments": ["greedy", "transfer"]}]
    config = toy_config(tmp_path, benchmarks=benchmarks)
    shown = {
        name: make_grid(experiment_named(name), config, {}, tmp_path).benchmarks for name in ("aligned", "matching")
    }
    assert {name: [one.name for one in found] for name, found in shown.items()} == {
        "aligned": ["toy"],
        "matching": ["toy"],
    }
    tasks = {"paper": FoundSet(refused="not run"), "screening": FoundSet(refused="not run")}
    greedy = make_grid(experiment_named("greedy"), config, tasks, tmp_path)
    assert [one.name for one in greedy.benchmarks] == ["toy", "second"]
    with pytest.raises(InputError, match="the first benchmark is in all experiments"):
        toy_config(tmp_path, benchmarks=[first | {"experiments": ["greedy"]}])
