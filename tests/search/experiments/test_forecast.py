"""What an experiment's dry run says, beside what the experiment then takes."""

from pathlib import Path

import pytest

from configs.schema.experiment import ExperimentConfig
from search.cli.forecast_table import forecast_sentences
from search.experiments.catalogue import experiment_named
from search.experiments.forecast import ExperimentForecast, forecast_experiment
from search.experiments.run import run_experiment
from search.forecast.forecast import Quantity
from tests.search.experiments.toy import ASKED, QUICKSTART, toy_config

pytestmark = pytest.mark.heavy


def _row(forecast: ExperimentForecast, name: str) -> Quantity:
    return next(quantity for quantity in forecast.quantities if quantity.name == name)


def test_what_another_experiment_on_the_ledger_has_paid_is_counted_and_the_rest_is_what_is_then_paid(
    tmp_path: Path,
) -> None:
    config = toy_config(tmp_path, tmp_path / "ledger.sqlite", components={"counts": [0, 3]})
    components = experiment_named("components")
    assert not _row(forecast_experiment(components, config, tmp_path / "run"), "generations").spent
    run_experiment(experiment_named("aligned"), config, tmp_path / "first", images=False)
    forecast = forecast_experiment(components, config, tmp_path / "run")
    generations, verdicts, cells = (_row(forecast, name) for name in ("generations", "verdicts", "cells"))
    assert cells.about == 7
    assert cells.spent == 3  # the whole base prompt, no prompt, and the instruct model without one
    assert generations.spent == 3 * ASKED * 2
    assert not (tmp_path / "run").exists()
    told: list[ExperimentForecast] = []
    results = run_experiment(components, config, tmp_path / "run", images=False, tell=told.append)
    takes, paid, left = forecast_sentences(told[0])
    assert takes.startswith(f"takes 7 cells, {14 * ASKED} generations, {14 * ASKED} verdicts, no dollars, no GPU time,")
    assert paid.startswith(f"paid already: 3 cells, {6 * ASKED} generations, {6 * ASKED} verdicts,")
    assert left.startswith(f"left: 4 cells, {8 * ASKED} generations, {8 * ASKED} verdicts,")
    assert generations.about is not None
    assert verdicts.at_most is not None
    assert verdicts.spent is not None
    assert results.spend.generated == generations.about - generations.spent
    assert results.spend.judged <= verdicts.at_most - verdicts.spent
    after = forecast_experiment(components, config, tmp_path / "run")
    assert _row(after, "cells").spent == 7
    assert _row(after, "generations").spent == generations.about
    assert [*forecast_sentences(after)][1:] == ["everything is paid already: tables and page are written again"]


def test_what_a_finished_search_has_taken_is_all_that_it_takes(tmp_path: Path) -> None:
    greedy = {"strategies": [{"name": "random", "strategy": {"kind": "random", "trials": 2, "insert": "back"}}]}
    config = toy_config(tmp_path, tmp_path / "ledger.sqlite", greedy=greedy)
    told: list[ExperimentForecast] = []
    run_experiment(experiment_named("greedy"), config, tmp_path / "run", images=False, tell=told.append)
    assert not _row(told[0], "generations").spent
    assert [quantity.note for quantity in told[0].quantities if "--" in quantity.note] == [], "it has no such options"
    after = forecast_experiment(experiment_named("greedy"), config, tmp_path / "run")
    assert _row(after, "generations").spent == _row(after, "generations").at_most
    assert _row(after, "dollars").spent == _row(after, "dollars").about
    assert [*forecast_sentences(after)][1:] == ["everything is paid already: tables and page are written again"]


def _with_trainings(path: Path, billions: float, **changes: object) -> ExperimentConfig:
    forecast = {"billion_parameters": billions, "training_teraflops": 0.1, "tokens_per_second": 1000, "gpus": 2}
    forecast |= {"gpu_memory_gb": 80}
    icl = {"counts": [3], "draws": 1}
    return toy_config(path, path / "ledger.sqlite", icl_vs_finetuning=icl, forecast=forecast | changes)


def test_an_untrained_model_has_paid_for_nothing_and_its_training_is_told_in_hours_disk_and_memory(
    tmp_path: Path,
) -> None:
    config = _with_trainings(tmp_path, 7)
    run_experiment(experiment_named("aligned"), config, tmp_path / "first", images=False)
    forecast = forecast_experiment(experiment_named("icl_vs_finetuning"), config, None)
    assert _row(forecast, "models to fine-tune").about == 2
    assert not _row(forecast, "models to fine-tune").spent
    assert _row(forecast, "generations").spent == 2 * ASKED * 2  # the base and the instruct model, as they are
    disk, hours = _row(forecast, "disk, GB"), _row(forecast, "GPU hours")
    assert disk.at_most is not None
    kept, checkpoints = 2 * 7 * 4, 2 * 7 * 12  # one training at a time, and two of its checkpoints
    assert kept + checkpoints < disk.at_most < kept + checkpoints + 0.1
    assert hours.at_most is not None
    assert "for training" in hours.note
    time = _row(forecast, "hours")
    assert "for training" in time.note
    (too_large,) = (warning for warning in forecast.warnings if "of memory" in warning)
    assert too_large.startswith("full fine-tuning needs 112 GB of memory on one GPU")
    assert "forecast.gpu_memory_gb is 80, so these trainings will fail" in too_large
    undeclared = forecast_experiment(
        experiment_named("icl_vs_finetuning"), _with_trainings(tmp_path, 7, gpu_memory_gb=None), None
    )
    assert not [warning for warning in undeclared.warnings if "of memory" in warning]
    assert any("LoRA" in note and "gpu_memory_gb is not declared" in note for note in undeclared.notes)


def test_more_disk_than_is_free_is_warned_of_in_the_dry_run_and_before_the_start(tmp_path: Path) -> None:
    forecast = forecast_experiment(
        experiment_named("icl_vs_finetuning"), _with_trainings(tmp_path, 1e6, gpu_memory_gb=None), tmp_path / "run"
    )
    (warning,) = forecast.warnings
    assert f"the file system of {tmp_path} has" in warning
    assert "GB free: put ledger_path" in warning
    assert [*forecast_sentences(forecast)][-1] == f"warning: {warning}"
    assert forecast.as_run.notes[-1] == f"warning: {warning}"


def test_holes_that_are_known_beforehand_are_told_with_their_reason(tmp_path: Path) -> None:
    model = {"name": str(QUICKSTART / "model"), "dtype": "float32", "context_tokens": 420}
    config = toy_config(tmp_path, model=model, many_shot={"counts": [3, 20], "draws": 1, "unsupervised": False})
    forecast = forecast_experiment(experiment_named("many_shot"), config, None)
    assert {hole.condition["n"] for hole in forecast.holes} == {20}
    assert _row(forecast, "cells").note == "2 more will be missing"
    assert forecast.to_json()["holes"]


def test_models_that_are_not_on_this_machine_are_forecast_without_asking_the_hub(tmp_path: Path) -> None:
    config = toy_config(
        tmp_path,
        model={"name": "no-one/base", "context_tokens": 420},
        instruct={"name": "no-one/instruct"},
        many_shot={"counts": [3, 20], "draws": 1, "unsupervised": False},
    )
    forecast = forecast_experiment(experiment_named("many_shot"), config, None)
    assert any("no-one/base" in note and "not on this machine" in note for note in forecast.notes)
    assert all("guessed at four characters a token" in hole.reason for hole in forecast.holes)
    aligned = forecast_experiment(experiment_named("aligned"), config, None)
    assert _row(aligned, "cells").about == 3
