"""The quickstart's pair of models on few questions: an experiment in seconds."""

from pathlib import Path
from typing import Any

import yaml

from configs.loading import load_experiment
from configs.schema.experiment import ExperimentConfig
from tests.documents import ROOT

QUICKSTART = ROOT / "configs" / "quickstart"
ASKED = 8  # questions, of two turns each


def toy_values(ledger: Path | None = None, **changes: Any) -> dict[str, Any]:
    """The preset as it stands in the file, with few questions, and some groups replaced."""
    values: dict[str, Any] = yaml.safe_load((ROOT / "configs" / "experiment_quickstart.yaml").read_text("utf-8"))
    values["benchmarks"][0]["questions"]["limit"] = ASKED
    values["benchmarks"][0]["side"] = "all"
    values["ledger_path"] = None if ledger is None else str(ledger)
    return values | changes


def toy_file(folder: Path, ledger: Path | None = None, **changes: Any) -> Path:
    """As a config file that may stand anywhere."""
    text = yaml.safe_dump(toy_values(ledger, **changes)).replace(" quickstart/", f" {QUICKSTART}/")
    path = folder / "toy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def toy_config(folder: Path, ledger: Path | None = None, **changes: Any) -> ExperimentConfig:
    return load_experiment(toy_file(folder, ledger, **changes))
