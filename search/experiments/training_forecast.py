"""What an experiment's trainings will take, and which of them are done."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from configs.schema.experiment import ExperimentConfig
from configs.schema.finetuning import FinetuningConfig
from configs.schema.model import AnyModelConfig, ModelConfig
from search.experiments.cell import Cell
from search.experiments.training import TrainedModel, trained_model, training_folder
from search.forecast.forecast import Quantity
from search.forecast.model_size import ModelSize, size_of
from search.forecast.token_length import tokens_a_character

_ADAM = 8
"""Bytes a parameter that is trained in float32: two moments."""
_SHOWN_FROM = 1e9
"""Bytes of memory that a training needs, from which on it is worth a word."""


@dataclass(frozen=True, slots=True)
class PlannedTrainings:
    """The fine-tuning that an experiment will do.

    Attributes:
        trainings: models to be fine-tuned, those that are there included.
        trained: the models that are there, by the name of the cell that is asked of them.
        gpu_hours: of those that are not there; None where the model's size is not known.
        kept_bytes: of all models, whole, adapters merged into them; None where their size is not known.
        checkpoint_bytes: on the disk at the same time, while trainings are under way; None as above.
        present_bytes: of models and checkpoints that are on the disk now.
        memory_bytes: of one GPU, at least, by method of the trainings that are not there; activations come on top.
    """

    trainings: int
    done: int
    trained: Mapping[str, AnyModelConfig]
    gpu_hours: float | None
    kept_bytes: float | None
    checkpoint_bytes: float | None
    present_bytes: float
    memory_bytes: Mapping[str, float]

    @property
    def quantity(self) -> Quantity:
        """The trainings as a row of the forecast's table."""
        return Quantity("models to fine-tune", self.trainings, self.trainings, self.done, None)

    def memory_notes(self, gpu_gigabytes: float | None) -> Iterator[str]:
        """What each method needs, beside what one GPU has.

        Args:
            gpu_gigabytes: as declared, in 10^9 bytes; None where it is not.
        """
        declared = "is not declared" if gpu_gigabytes is None else f"is {gpu_gigabytes:g}"
        for needs, _ in self._memory_needs():
            yield f"{needs}; forecast.gpu_memory_gb {declared}"

    def memory_warnings(self, gpu_gigabytes: float | None) -> Iterator[str]:
        """Methods that need more than one GPU has."""
        for needs, gigabytes in self._memory_needs():
            if gpu_gigabytes is not None and gigabytes > gpu_gigabytes:
                yield (
                    f"{needs}, but forecast.gpu_memory_gb is {gpu_gigabytes:g}, so these trainings will fail: "
                    "take larger GPUs, or leave the method out of icl_vs_finetuning.methods"
                )

    def _memory_needs(self) -> Iterator[tuple[str, float]]:
        """Half a sentence for each method whose need is worth a word, and GB."""
        for method, needed in self.memory_bytes.items():
            if needed >= _SHOWN_FROM:
                content = "weights, gradients and Adam's state" if method == "full" else "weights and adapters"
                name = "full" if method == "full" else "LoRA"
                yield (
                    f"{name} fine-tuning needs {needed / 1e9:,.0f} GB of memory on one GPU for {content}, and more for "
                    "activations",
                    needed / 1e9,
                )


def plan_trainings(cells: Iterable[Cell], config: ExperimentConfig, models: Path) -> PlannedTrainings:
    """Plan the fine-tuning of these cells.

    Args:
        models: the folder of all trained models.
    """
    by_folder: dict[Path, Cell] = {}
    trained: dict[str, AnyModelConfig] = {}
    for cell in cells:
        if cell.training is not None and isinstance(cell.model, ModelConfig):
            folder = training_folder(cell, config, models)
            by_folder.setdefault(folder, cell)
            if isinstance(outcome := trained_model(cell, folder), TrainedModel):
                trained[cell.name] = outcome.model
    to_do = [cell for cell in by_folder.values() if cell.name not in trained]
    return PlannedTrainings(
        trainings=len(by_folder),
        done=len(by_folder) - len(to_do),
        trained=trained,
        gpu_hours=_gpu_hours(to_do, config),
        kept_bytes=sum_if_known(_kept_bytes(cell, config) for cell in by_folder.values()),
        checkpoint_bytes=_checkpoint_bytes(to_do, config),
        present_bytes=sum(map(_bytes_in, by_folder)),
        memory_bytes=_memory_bytes(to_do, config),
    )


def _size(cell: Cell, config: ExperimentConfig) -> ModelSize | None:
    assert isinstance(cell.model, ModelConfig)
    return size_of(cell.model, config.forecast.billion_parameters)


def _gpu_hours(cells: Iterable[Cell], config: ExperimentConfig) -> float | None:
    """Six operations a parameter and token; adapters save memory, hardly any operations."""
    operations = 0.0
    for cell in cells:
        size = _size(cell, config)
        if size is None:
            return None
        operations += 6 * size.parameters * _tokens(cell, config)
    return operations / (config.forecast.training_teraflops * 1e12) / 3600


def _tokens(cell: Cell, config: ExperimentConfig) -> float:
    assert cell.training is not None
    shown = cell.training.demonstrations
    text = "".join(text for demonstration in shown for text in demonstration.texts)
    rate, _ = tokens_a_character(cell.model, text[:20_000] or "-")
    return len(text) * rate * config.finetuning.length_for(len(shown)).epochs


def _kept_bytes(cell: Cell, config: ExperimentConfig) -> float | None:
    """The finished model on the disk."""
    assert cell.training is not None
    assert isinstance(cell.model, ModelConfig)
    size, dtype = _size(cell, config), cell.model.dtype
    if cell.training.method == "full" and dtype == "auto":
        dtype = config.finetuning.dtype
    return None if size is None else size.parameters * size.bytes_a_parameter(dtype)


def _checkpoint_bytes(cells: Iterable[Cell], config: ExperimentConfig) -> float | None:
    """The one before is removed when a checkpoint is whole, so that each training has two at the same time."""
    if not config.finetuning.checkpoints:
        return 0.0
    each = [_trained_bytes(cell, config) for cell in cells]
    sizes = sorted((number for number in each if number is not None), reverse=True)
    if len(sizes) < len(each):
        return None
    return 2.0 * sum(sizes[: _parallel_trainings(config)])


def _trained_bytes(cell: Cell, config: ExperimentConfig) -> float | None:
    """A checkpoint: what the optimizer changes, with its own state."""
    assert cell.training is not None
    size = _size(cell, config)
    if size is None:
        return None
    if cell.training.method == "lora":
        return size.adapted * config.finetuning.lora.rank * (4 + _ADAM)
    return size.parameters * _width(config.finetuning) * 3


def _width(config: FinetuningConfig) -> int:
    """Bytes of a parameter that full fine-tuning trains; each of Adam's moments has as many."""
    return 4 if config.dtype == "float32" else 2


def _memory_bytes(cells: Iterable[Cell], config: ExperimentConfig) -> dict[str, float]:
    """The need of the largest model by method, without those whose size is not known."""
    needed: dict[str, float] = {}
    for cell in cells:
        assert cell.training is not None
        assert isinstance(cell.model, ModelConfig)
        size, method = _size(cell, config), cell.training.method
        if size is None:
            continue
        if method == "full":
            number = size.parameters * _width(config.finetuning) * 4
        else:
            frozen = size.parameters * size.bytes_a_parameter(cell.model.dtype)
            number = frozen + size.adapted * config.finetuning.lora.rank * (8 + _ADAM)
        needed[method] = max(number, needed.get(method, 0.0))
    return needed


def _parallel_trainings(config: ExperimentConfig) -> int:
    """Trainings at the same time, one a GPU; one where that is not known."""
    workers = config.workers
    if workers.kind == "local":
        return 1
    return workers.count if isinstance(workers.count, int) else max(1, round(config.forecast.gpus or 1))


def sum_if_known(numbers: Iterable[float | None]) -> float | None:
    """The sum; None where a number is not known."""
    every: Sequence[float | None] = list(numbers)
    some = [number for number in every if number is not None]
    return sum(some) if len(some) == len(every) else None


def _bytes_in(folder: Path) -> int:
    """All of its files; one that a training removes meanwhile counts nothing."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total
