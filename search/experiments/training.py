"""Models that cells are asked of after a training: made once, kept beside the ledger, found again by what they are."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from configs.errors import DemosearchError, InputError
from configs.schema.experiment import ExperimentConfig
from configs.schema.model import AnyModelConfig, ModelConfig
from search.experiments.cell import Cell, Training
from search.prompts.demonstration import Demonstration, demonstration_of
from search.prompts.render import Renderer, make_renderer

if TYPE_CHECKING:
    from workers.finetune.examples import TrainingExample
    from workers.finetune.train import Finetuning

_log = logging.getLogger(__name__)

Refused = str
"""Why a model cannot be trained."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """Attributes:
    model: as it is asked.
    note: what is to be said of its training; "" for nothing.
    """

    model: AnyModelConfig
    note: str


def training_folder(cell: Cell, config: ExperimentConfig, models: Path) -> Path:
    """The folder of this cell's training among all: named after everything that decides its outcome."""
    training, model = _of(cell)
    decides = {
        "base": model.model_dump(mode="json", include={"name", "revision", "dtype"}),
        "config": config.finetuning.model_dump(mode="json", exclude={"checkpoints", "device_batch_size"}),
        "examples": [list(demonstration.texts) for demonstration in training.demonstrations],
        "render": cell.render.model_dump(mode="json"),
        "method": training.method,
        "seed": training.seed,
    }
    digest = sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]
    return models / f"{training.method}-{len(training.demonstrations)}-{digest}"


def train(cell: Cell, config: ExperimentConfig, models: Path) -> TrainedModel | Refused:
    """Train the cell's model, or go on with it, or find it.

    Returns:
        The model; or why it cannot be had, which concerns this cell alone.

    Raises:
        InputError: nothing can be trained at all (TRL or PEFT is missing).
    """
    from workers.finetune.failures import FinetuningFailed  # noqa: PLC0415 -- with the extra
    from workers.finetune.train import finetune  # noqa: PLC0415 -- torch

    training, base = _of(cell)
    folder = training_folder(cell, config, models)
    try:
        made = finetune(_task(training, base, config, make_renderer(cell.render, base)), folder)
    except FinetuningFailed as error:
        return str(error)
    examples = sum(len(demonstration.turns) for demonstration in training.demonstrations)
    note = f"{len(made.too_long)} of {examples} examples were too long" if made.too_long else ""
    return TrainedModel(base.model_copy(update={"name": str(made.model), "revision": None}), note)


def trained_model(cell: Cell, config: ExperimentConfig, models: Path) -> AnyModelConfig:
    """The model of a training that is finished."""
    _, base = _of(cell)
    folder = training_folder(cell, config, models) / "model"
    return base.model_copy(update={"name": str(folder), "revision": None})


def is_trained(cell: Cell, config: ExperimentConfig, models: Path) -> bool:
    """Whether nothing is left to train for this cell."""
    return (training_folder(cell, config, models) / "finetuned.json").exists()


def _of(cell: Cell) -> tuple[Training, ModelConfig]:
    if cell.training is None or not isinstance(cell.model, ModelConfig):
        raise DemosearchError("only a model that this machine loads can be trained")
    return cell.training, cell.model


def _task(training: Training, base: ModelConfig, config: ExperimentConfig, renderer: Renderer) -> "Finetuning":
    from workers.finetune.train import Finetuning  # noqa: PLC0415 -- torch

    examples = tuple(
        example for demonstration in training.demonstrations for example in training_examples(demonstration, renderer)
    )
    return Finetuning(base, config.finetuning, training.method, examples, training.seed)


def training_examples(demonstration: Demonstration, renderer: Renderer) -> Iterator["TrainingExample"]:
    """For each turn, the prompt that asks for its answer without any other demonstration, and the answer as that
    prompt's form closes it.

    Raises:
        InputError: the prompts are spelled by a chat template.
    """
    from workers.finetune.examples import TrainingExample  # noqa: PLC0415 -- with torch's room

    for number in range(1, len(demonstration.turns) + 1):
        until = demonstration_of(demonstration.turns[:number])
        asked = renderer.block("", (), [until.texts[:-1]])
        if not asked.bos:
            raise InputError("fine-tuning takes prompts of a URIAL form: set render.template to urial_backticks")
        closed = renderer.block("", [until], [("",)]).prefix
        name = f"{demonstration.id}, turn {number}" if demonstration.further else demonstration.id
        yield TrainingExample(name, asked.prompt(0), closed.removeprefix(asked.prompt(0)))
