"""Sets of demonstrations on other models than their own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import search
from configs.errors import InputError, RunStopped
from search.experiments.catalogue import experiment_named
from search.experiments.cell import Cell
from search.experiments.earlier_search import read_finished_search
from search.experiments.found_sets import FoundSet
from search.experiments.results import ExperimentResults
from search.experiments.run import run_experiment
from search.experiments.setting import Setting
from tests.search.experiments.toy import ASKED, QUICKSTART, toy_config

pytestmark = pytest.mark.heavy

_INSTRUCT = {"name": str(QUICKSTART / "instruct"), "dtype": "float32"}
_SEARCH = {"name": "found", "strategy": {"kind": "random", "trials": 3, "max_demonstrations": 1, "insert": "back"}}
_MODELS = [{"name": "instruct", "model": _INSTRUCT}]


def _run(path: Path, ledger: Path, **transfer: Any) -> ExperimentResults:
    config = toy_config(path.parent, ledger, transfer=transfer)
    return run_experiment(experiment_named("transfer"), config, path, images=False)


def test_sets_of_a_search_a_run_directory_and_an_export_have_the_same_scores_on_every_model(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite"
    searched = _run(tmp_path / "first", ledger, strategies=[_SEARCH], models=_MODELS)
    run = tmp_path / "first" / "searches" / "found"
    read = _run(tmp_path / "second", ledger, sets=[{"name": "found", "path": str(run)}], models=_MODELS)
    assert [replace(row, failed=0) for row in read.rows] == [replace(row, failed=0) for row in searched.rows]
    assert read.spend.generated == 0
    (tmp_path / "set.json").write_text(search.export(run, "json"), encoding="utf-8")
    exported = _run(
        tmp_path / "third", ledger, sets=[{"name": "exported", "path": str(tmp_path / "set.json")}], models=_MODELS
    )
    assert {row.condition["set"] for row in exported.rows} == {"base prompt", "exported"}
    page = (tmp_path / "second" / "page.html").read_text(encoding="utf-8")
    table = (tmp_path / "second" / "table.md").read_text(encoding="utf-8")
    assert "| set by model | toy | instruct |" in table
    (base,) = [line for line in table.splitlines() if line.startswith("| base prompt |") and "n=" in line][-1:]
    assert base.count(f"n={ASKED} |") == 2
    assert "set by model" in page
    assert '"type":"heatmap"' in page


def test_a_matrix_without_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"set transfer\.sets or transfer\.strategies"):
        _run(tmp_path / "run", tmp_path / "ledger.sqlite", models=_MODELS)


def test_a_set_that_is_not_there_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        _run(tmp_path / "run", tmp_path / "ledger.sqlite", sets=[{"name": "a", "path": str(tmp_path / "nowhere.txt")}])
    assert not (tmp_path / "run").exists()


def test_a_model_that_is_called_as_the_pair_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="both called 'toy'"):
        _run(tmp_path / "run", tmp_path / "ledger.sqlite", models=[{"name": "toy", "model": _INSTRUCT}])


def test_a_search_that_has_not_finished_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite"
    stopped = toy_config(tmp_path, ledger, transfer={"strategies": [_SEARCH]}, budget={"verdicts": 10})
    with pytest.raises(RunStopped, match="budget"):
        run_experiment(experiment_named("transfer"), stopped, tmp_path / "first", images=False)
    run = tmp_path / "first" / "searches" / "found"
    with pytest.raises(InputError, match=rf"has not finished.*demosearch resume {run}"):
        _run(tmp_path / "second", ledger, sets=[{"name": "found", "path": str(run)}])
    with pytest.raises(InputError, match="has not finished"):
        read_finished_search(run)
    assert not (tmp_path / "second").exists()


def test_a_found_set_is_put_to_every_model_in_the_decoding_that_it_was_found_with(tmp_path: Path) -> None:
    strategy = {
        "kind": "optuna",
        "trials": 4,
        "max_demonstrations": 2,
        "decodings": [{"name": "mild", "repetition_penalty": 1.05}],
    }
    transfer = {"strategies": [{"name": "found", "strategy": strategy}], "models": _MODELS}
    setting = Setting(toy_config(tmp_path, transfer=transfer))
    mild = setting.config.decoding.model_copy(update={"repetition_penalty": 1.05})
    shown = setting.base_prompt.demonstrations
    found = FoundSet(setting.base_prompt.rules, {1: shown, 2: shown}, decodings={2: mild})
    penalties = {
        (cell.condition["set"], cell.condition["model"]): cell.decoding.repetition_penalty
        for cell in experiment_named("transfer").cells(setting, {"found": found})
        if isinstance(cell, Cell)
    }
    own = setting.config.decoding.repetition_penalty
    for model in ("toy", "instruct"):
        assert penalties["base prompt", model] == penalties["found, 1 chosen", model] == own
        assert penalties["found, 2 chosen", model] == 1.05


@pytest.mark.parametrize("name", ["base prompt", "found, 1 chosen"])
def test_a_set_that_is_called_as_another_one_is_refused(name: str, tmp_path: Path) -> None:
    sets = [{"name": name, "path": str(QUICKSTART / "base_prompt.txt")}]
    with pytest.raises(InputError, match=f"two sets are called '{name}'"):
        _run(tmp_path / "run", tmp_path / "ledger.sqlite", sets=sets, strategies=[_SEARCH])
    assert not (tmp_path / "run").exists()
