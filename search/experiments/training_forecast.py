"""What an experiment's trainings will take, and which of them are done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from configs.schema.experiment import ExperimentConfig
from configs.schema.model import AnyModelConfig, ModelConfig
from search.experiments.cell import Cell
from search.experiments.training import is_trained, trained_model, training_folder
from search.forecast.forecast import Quantity
from search.forecast.token_length import tokens_a_character


@dataclass(frozen=True, slots=True)
class PlannedTrainings:
    """The fine-tuning that an experiment will do.

    Attributes:
        trainings: models to be fine-tuned, those that are there included.
        trained: the models that are there, by the name of the cell that is asked of them.
        gpu_hours: of those that are not there; None where the model's size is not known.
        disk_bytes: of all models, whole, adapters merged into them; None where their size is not known.
    """

    trainings: int
    done: int
    trained: Mapping[str, AnyModelConfig]
    gpu_hours: float | None
    disk_bytes: float | None

    @property
    def quantity(self) -> Quantity:
        """The trainings as a row of the forecast's table."""
        return Quantity("models to fine-tune", self.trainings, self.trainings, self.done, None)


def plan_trainings(cells: Iterable[Cell], config: ExperimentConfig, models: Path) -> PlannedTrainings:
    """Plan the fine-tuning of these cells.

    Args:
        models: the folder of all trained models.
    """
    by_folder: dict[Path, Cell] = {}
    trained: dict[str, AnyModelConfig] = {}
    for cell in cells:
        if cell.training is not None and isinstance(cell.model, ModelConfig):
            by_folder.setdefault(training_folder(cell, config, models), cell)
            if is_trained(cell, config, models):
                trained[cell.name] = trained_model(cell, config, models)
    to_do = [cell for cell in by_folder.values() if cell.name not in trained]
    return PlannedTrainings(
        trainings=len(by_folder),
        done=len(by_folder) - len(to_do),
        trained=trained,
        gpu_hours=_gpu_hours(to_do, config),
        disk_bytes=_disk_bytes(by_folder.values(), config),
    )


def _gpu_hours(cells: Iterable[Cell], config: ExperimentConfig) -> float | None:
    """Six operations a parameter and token; adapters save memory, hardly any operations."""
    tokens = sum(_tokens(cell, config) for cell in cells)
    if not tokens:
        return 0.0
    billions = config.forecast.billion_parameters
    if billions is None:
        return None
    return 6 * billions * 1e9 * tokens / (config.forecast.training_teraflops * 1e12) / 3600


def _tokens(cell: Cell, config: ExperimentConfig) -> float:
    assert cell.training is not None
    shown = cell.training.demonstrations
    text = "".join(text for demonstration in shown for text in demonstration.texts)
    rate, _ = tokens_a_character(cell.model, text[:20_000] or "-")
    return len(text) * rate * config.finetuning.length_for(len(shown)).epochs


def _disk_bytes(cells: Iterable[Cell], config: ExperimentConfig) -> float | None:
    wide = 4 if config.finetuning.dtype == "float32" else 2
    bytes_each = [wide if cell.training and cell.training.method == "full" else 2 for cell in cells]
    if not bytes_each:
        return 0.0
    billions = config.forecast.billion_parameters
    return None if billions is None else sum(bytes_each) * billions * 1e9
