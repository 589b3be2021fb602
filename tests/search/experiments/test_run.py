"""Experiments on the toy pair, from end to end."""

import csv
import json
import time
from pathlib import Path
from typing import Any

import pytest

import search
from configs.errors import InputError, RunStopped
from configs.loading import load_experiment
from configs.schema.experiment import ExperimentConfig
from configs.schema.scoring import BudgetConfig
from search.experiments import catalogue
from search.experiments.catalogue import EXPERIMENTS, experiment_named
from search.experiments.gap import shares_by_measure
from search.experiments.markdown import tables
from search.experiments.results import ExperimentResults
from search.experiments.run import run_experiment
from tests.command_line import demosearch, start
from tests.search.experiments.toy import ASKED, QUICKSTART, toy_config, toy_file, toy_values

pytestmark = pytest.mark.heavy

SMALL: dict[str, Any] = {
    "greedy": {
        "strategies": [
            {"name": "paper", "strategy": {"kind": "exhaustive_greedy", "max_demonstrations": 1, "insert": "back"}},
            {"name": "random", "strategy": {"kind": "random", "trials": 4, "insert": "back"}},
        ],
    },
    "decoding_sweep": {"temperatures": [0.0, 1.0], "top_ps": [1.0], "repetition_penalties": [1.0]},
    "many_shot": {"counts": [0, 3, 6], "draws": 2},
    "multi_turn": {
        "pool": {"path": "quickstart/two_turn_pool.jsonl", "id_field": "id"},
        "base_prompt": {"path": "quickstart/two_turn_base_prompt.jsonl"},
        "added": [2],
        "draws": 1,
    },
    "icl_vs_finetuning": {"counts": [3], "draws": 1},
    "sufficient": {"experiments": ["components", "greedy"]},
    "transfer": {
        "strategies": [{"name": "found", "strategy": {"kind": "random", "trials": 3, "max_demonstrations": 2}}],
        "models": [{"name": "instruct", "model": {"name": str(QUICKSTART / "instruct"), "dtype": "float32"}}],
    },
}


def _run(name: str, config: ExperimentConfig, path: Path) -> ExperimentResults:
    return run_experiment(experiment_named(name), config, path, images=False)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that no test pays for what another has paid."""
    return tmp_path_factory.mktemp("shared") / "ledger.sqlite"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_ends_in_its_table_and_page(name: str, ledger: Path, tmp_path: Path) -> None:
    results = _run(name, toy_config(tmp_path, ledger, **SMALL), tmp_path / "run")
    assert results.cells > 0
    assert [row for row in results.rows if row.score is not None]
    rows = list(csv.DictReader((tmp_path / "run" / "table.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(results.conditions) * len(results.measures)
    table, page = ((tmp_path / "run" / file).read_text(encoding="utf-8") for file in ("table.md", "page.html"))
    assert "A toy's numbers" in table
    assert "A toy's numbers" in page.replace("&#39;", "'")
    assert page.count('class="plot"') == len(results.measures)  # a matrix has none of its own
    assert "src=" not in page.split("<script", maxsplit=1)[0]


def test_searches_stand_beside_each_other_with_their_price_and_their_winners_curse(
    ledger: Path, tmp_path: Path
) -> None:
    results = _run("greedy", toy_config(tmp_path, ledger, **SMALL), tmp_path / "run")
    by_search, by_round = tables(results, shares_by_measure(results))[-2:]
    assert [row[0] for row in by_search.rows] == ["paper", "random"]
    assert {row[0] for row in by_round.rows} == {"paper"}  # the one that tries every demonstration in each round
    searches = json.loads((tmp_path / "run" / "table.json").read_text(encoding="utf-8"))["searches"]
    assert [row["search"] for row in searches] == ["paper", "random"]
    for row in searches:
        folder = tmp_path / "run" / "searches" / row["search"]
        assert row["search_gain"]["mean"] - row["held_out_gain"]["mean"] == pytest.approx(row["overstatement"]["mean"])
        assert row["generations"] == search.read_status(folder).spend.generated
        assert row["answers_judged"] == sum(answer.side == "search" for answer in search.read_answers(folder))
    assert "the winner's curse" in (tmp_path / "run" / "table.md").read_text(encoding="utf-8")


def test_every_column_of_a_table_has_a_name_of_its_own_and_no_interval_leaves_the_scale(
    ledger: Path, tmp_path: Path
) -> None:
    _run("many_shot", toy_config(tmp_path, ledger, many_shot={"counts": [3], "draws": 2}), tmp_path / "run")
    with (tmp_path / "run" / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        assert len(set(rows.fieldnames or ())) == len(rows.fieldnames or ())
        scored = [*rows]
    assert all(1 <= float(row["low"]) <= float(row["high"]) <= 10 for row in scored)
    assert all(float(row["difference_low"]) >= -9 and float(row["difference_high"]) <= 9 for row in scored[1:4])
    assert {(row["n"], row["questions"]) for row in scored} == {("0", f"{ASKED}"), ("3", f"{ASKED}")}


def test_what_one_experiment_has_paid_for_the_next_does_not_pay_for(ledger: Path, tmp_path: Path) -> None:
    first = _run("aligned", toy_config(tmp_path, ledger), tmp_path / "first")
    again = _run("aligned", toy_config(tmp_path, ledger), tmp_path / "again")
    assert first.cells == 3
    assert again.spend.generated == 0
    assert (tmp_path / "first" / "table.csv").read_bytes() == (tmp_path / "again" / "table.csv").read_bytes()


STOPPED: dict[str, Any] = {
    "greedy": {"strategies": [{"name": "random", "strategy": {"kind": "random", "trials": 2, "insert": "back"}}]},
    "components": {"counts": [0, 3]},
}


@pytest.mark.parametrize("name", ["greedy", "components"])
def test_an_experiment_that_a_budget_stops_goes_on_with_a_larger_one(name: str, tmp_path: Path) -> None:
    config = toy_config(tmp_path, **STOPPED)
    first = config.benchmarks[0]
    few = first.model_copy(update={"questions": first.questions.model_copy(update={"limit": 5})})
    config = config.model_copy(update={"benchmarks": (few,)})
    stopped = config.model_copy(update={"budget": BudgetConfig(verdicts=8)})
    with pytest.raises(RunStopped, match="budget"):
        _run(name, stopped, tmp_path / "stopped")
    assert not (tmp_path / "stopped" / "table.csv").exists()
    resumed = _run(name, config, tmp_path / "stopped")
    whole = _run(name, config, tmp_path / "whole")
    assert resumed.rows == whole.rows
    assert (tmp_path / "stopped" / "table.csv").read_bytes() == (tmp_path / "whole" / "table.csv").read_bytes()


def test_an_experiment_none_of_whose_cells_could_be_scored_stops_with_its_page_written(
    ledger: Path, tmp_path: Path
) -> None:
    (tmp_path / "closed.py").write_text("def judge(question, answers):\n    raise ValueError('not now')\n")
    values = toy_values(ledger)["benchmarks"][0]
    judge = {"kind": "function", "function": "closed:judge", "folder": str(tmp_path)}
    config = toy_config(tmp_path, ledger, benchmarks=[values | {"judge": judge}])
    with pytest.raises(RunStopped, match=r"no cell of the table could be scored \(.*: 8 of 8 questions failed"):
        _run("aligned", config, tmp_path / "run")
    assert "8 of 8 questions failed" in (tmp_path / "run" / "page.html").read_text(encoding="utf-8")


def test_a_search_whose_end_another_version_would_not_choose_stays_as_it_ended_when_an_experiment_runs_again(
    ledger: Path, tmp_path: Path
) -> None:
    config, folder = toy_config(tmp_path, ledger, **STOPPED), tmp_path / "run" / "searches" / "random"
    first = _run("greedy", config, tmp_path / "run")
    *trials, end = (folder / "journal.jsonl").read_text("utf-8").splitlines()
    then = json.loads(end)["end"]
    swapped = then | {"winner": then["runner_up"], "runner_up": then["winner"]}
    (folder / "journal.jsonl").write_text("\n".join([*trials, json.dumps({"end": swapped}), ""]), "utf-8")
    assert _run("greedy", config, tmp_path / "run").rows == first.rows
    assert search.read_status(folder).state == "finished"


def test_an_experiment_killed_in_its_second_training_and_resumed_gives_the_same_table(tmp_path: Path) -> None:
    slow = {"lengths": [{"epochs": 8, "batch_size": 2}], "learning_rate": 1e-4, "checkpoints": 11}
    file = toy_file(tmp_path, icl_vs_finetuning={"counts": [6], "draws": 1}, finetuning=slow)
    words = ("experiment", "icl_vs_finetuning", str(file), "--no-figures", "--run-dir")

    killed = start(*words, str(tmp_path / "killed"))
    models = tmp_path / "killed" / "finetuned"
    deadline = time.monotonic() + 200
    while not (list(models.glob("lora-*/checkpoints/checkpoint-*"))) and time.monotonic() < deadline:
        assert killed.poll() is None, "it ended before it was killed"
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    assert len(list(models.glob("*/finetuned.json"))) == 1
    assert not (tmp_path / "killed" / "table.csv").exists()
    resumed = demosearch(*words, str(tmp_path / "killed"))
    assert resumed.returncode == 0, resumed.stderr
    _run("icl_vs_finetuning", load_experiment(file), tmp_path / "whole")
    assert (tmp_path / "killed" / "table.csv").read_bytes() == (tmp_path / "whole" / "table.csv").read_bytes()


def test_a_number_of_examples_that_the_context_does_not_hold_is_a_hole_and_the_rest_goes_on(
    ledger: Path, tmp_path: Path
) -> None:
    model = {"name": str(QUICKSTART / "model"), "dtype": "float32", "context_tokens": 420}
    config = toy_config(tmp_path, ledger, model=model, many_shot={"counts": [3, 20, 70], "draws": 1})
    results = _run("many_shot", config, tmp_path / "run")
    reasons = {(hole.condition["examples"], hole.condition["n"]): hole.reason for hole in results.holes}
    assert "context too short" in reasons["random", 20]
    assert "the pool has 64" in reasons["random", 70]
    assert ("random", 3) not in reasons
    table = (tmp_path / "run" / "table.md").read_text(encoding="utf-8")
    assert f"{len(results.holes)} are missing" in table
    assert "| missing |" in table


def test_a_model_without_a_chat_template_is_a_hole(ledger: Path, tmp_path: Path) -> None:
    config = toy_config(tmp_path, ledger, instruct={"name": str(QUICKSTART / "model"), "dtype": "float32"})
    results = _run("aligned", config, tmp_path / "run")
    (hole,) = results.holes
    assert hole.condition["asked"] == "instruct"
    assert "no chat template" in hole.reason


def test_a_benchmark_without_references_is_a_hole_in_every_row_and_the_other_goes_on(
    ledger: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.jsonl"
    bare.write_text('{"id": "a", "turns": ["What is the capital of Peru?"]}\n', encoding="utf-8")
    config = toy_config(tmp_path, ledger)
    judge = config.benchmarks[0].judge
    lacking = {"name": "bare", "questions": {"path": str(bare), "query_field": "turns"}, "judge": judge.model_dump()}
    benchmarks = [config.benchmarks[0].model_dump(mode="json"), lacking]
    results = _run("aligned", toy_config(tmp_path, ledger, benchmarks=benchmarks), tmp_path / "run")
    assert {hole.benchmark for hole in results.holes} == {"bare"}
    assert all("reference" in hole.reason for hole in results.holes)
    assert all(row.score is not None for row in results.rows)


def test_examples_too_long_for_training_make_a_hole(ledger: Path, tmp_path: Path) -> None:
    config = toy_config(
        tmp_path,
        ledger,
        icl_vs_finetuning={"counts": [3], "draws": 1, "methods": ["full"]},
        finetuning={"max_tokens": 8},
    )
    results = _run("icl_vs_finetuning", config, tmp_path / "run")
    (hole,) = results.holes
    assert "finetuning.max_tokens" in hole.reason


def test_a_directory_of_another_experiment_is_refused(ledger: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "experiment.json").write_text(json.dumps({"experiment": "matching"}), encoding="utf-8")
    with pytest.raises(InputError, match="holds the experiment 'matching'"):
        _run("aligned", toy_config(tmp_path, ledger), tmp_path / "run")


def test_a_directory_whose_claim_was_killed_in_its_first_write_is_taken(ledger: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    draft = tmp_path / "run" / ".experiment.json.4711"
    draft.write_text('{"experi', encoding="utf-8")
    _run("components", toy_config(tmp_path, ledger, components={"counts": [0]}), tmp_path / "run")
    assert not draft.exists()
    assert (tmp_path / "run" / "table.csv").exists()


def test_every_module_that_is_an_experiment_is_in_the_catalogue_and_has_its_modules_name() -> None:
    written = {
        file.stem for file in Path(catalogue.__file__).parent.glob("*.py") if "\nEXPERIMENT = " in file.read_text()
    }
    assert written == {experiment_named(name).name for name in EXPERIMENTS} == {*EXPERIMENTS}


def test_an_unknown_experiment_gets_the_nearest_name() -> None:
    with pytest.raises(InputError, match="did you mean 'many_shot'"):
        experiment_named("many-shots")
