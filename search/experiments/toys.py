"""Toy models, whose numbers claim nothing about language models."""

from pathlib import Path

from configs import quickstart
from configs.schema.experiment import ExperimentConfig
from configs.schema.model import ModelConfig

_FOLDER = Path(quickstart.__file__).parent


def has_toys(config: ExperimentConfig) -> bool:
    """Whether the config says so, or base or instruct model is one of the quickstart's."""
    models = [model for model in (config.model, config.instruct) if isinstance(model, ModelConfig)]
    return config.toy or any(_FOLDER in Path(model.name).parents for model in models)
