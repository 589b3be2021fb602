"""Paths of what an experiment keeps because it is expensive."""

from pathlib import Path

from configs.schema.experiment import ExperimentConfig


def ledger_of(config: ExperimentConfig, path: Path) -> Path:
    """Everything that is paid for; `path` is the experiment's directory."""
    return (config.ledger_path or path / "ledger.sqlite").resolve()


def models_folder(config: ExperimentConfig, path: Path) -> Path:
    """Fine-tuned models: beside the ledger, and shared like it."""
    return ledger_of(config, path).parent / "finetuned"
