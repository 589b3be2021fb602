"""Paths of what an experiment keeps: its searches, its ledger and its fine-tuned models."""

from pathlib import Path

from configs.schema.experiment import ExperimentConfig


def search_folder(path: Path, name: str) -> Path:
    """The run directory of one of its searches; `path` is the experiment's directory."""
    return path / "searches" / name


def ledger_of(config: ExperimentConfig, path: Path) -> Path:
    """Everything that is paid for."""
    return (config.ledger_path or path / "ledger.sqlite").resolve()


def models_folder(config: ExperimentConfig, path: Path) -> Path:
    """Fine-tuned models: beside the ledger, and shared like it."""
    return ledger_of(config, path).parent / "finetuned"
