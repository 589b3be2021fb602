"""What an experiment's dry run says, beside what the experiment then takes."""

from pathlib import Path

import pytest

from search.experiments.catalogue import experiment_named
from search.experiments.forecast import ExperimentForecast, forecast_experiment
from search.experiments.run import run_experiment
from search.forecast.forecast import Quantity
from tests.search.experiments.toy import QUICKSTART, toy_config

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
    assert generations.spent == 3 * 14 * 2
    assert not (tmp_path / "run").exists()
    results = run_experiment(components, config, tmp_path / "run", images=False)
    assert generations.about is not None
    assert verdicts.at_most is not None
    assert verdicts.spent is not None
    assert results.paid.generations == generations.about - generations.spent
    assert results.paid.verdicts <= verdicts.at_most - verdicts.spent
    after = forecast_experiment(components, config, tmp_path / "run")
    assert _row(after, "cells").spent == 7
    assert _row(after, "generations").spent == generations.about


def test_an_untrained_model_has_paid_for_nothing_and_its_training_is_told_in_hours_and_disk(tmp_path: Path) -> None:
    config = toy_config(
        tmp_path,
        tmp_path / "ledger.sqlite",
        icl_vs_finetuning={"counts": [3], "draws": 1},
        forecast={"billion_parameters": 7, "training_teraflops": 100, "tokens_per_second": 1000, "gpus": 2},
    )
    run_experiment(experiment_named("aligned"), config, tmp_path / "first", images=False)
    forecast = forecast_experiment(experiment_named("icl_vs_finetuning"), config, None)
    assert _row(forecast, "models to fine-tune").about == 2
    assert not _row(forecast, "models to fine-tune").spent
    assert _row(forecast, "generations").spent == 2 * 14 * 2  # the base and the instruct model, as they are
    disk, hours = _row(forecast, "disk, GB"), _row(forecast, "GPU hours")
    assert disk.at_most is not None
    assert 28 + 14 < disk.at_most < 28 + 14 + 0.1
    assert hours.at_most is not None
    assert "for training" in hours.note
    time = _row(forecast, "hours")
    assert "for training" in time.note


def test_holes_that_are_known_beforehand_are_told_with_their_reason(tmp_path: Path) -> None:
    model = {"name": str(QUICKSTART / "model"), "dtype": "float32", "context_tokens": 420}
    config = toy_config(tmp_path, model=model, many_shot={"counts": [3, 20], "draws": 1, "unsupervised": False})
    forecast = forecast_experiment(experiment_named("many_shot"), config, None)
    assert {hole.condition["n"] for hole in forecast.holes} == {20}
    assert _row(forecast, "cells").note == "2 holes beside them"
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
