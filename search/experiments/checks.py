"""Mistakes in an experiment's config, refused before any of its parts spends something."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.errors import InputError
from configs.schema.experiment import ExperimentConfig
from configs.schema.model import ModelConfig, ServedModelConfig
from search.experiments.experiment import Experiment
from search.experiments.grid import Grid, evaluation_of, make_grid
from search.experiments.places import ledger_of, search_folder
from search.experiments.searches import CANNOT_RUN, longest_sets, tasks_of
from search.experiments.setting import Setting
from search.running.assembly import make_plan
from search.running.evaluation_plan import make_evaluation_plan
from search.running.models import make_model
from search.running.place_check import are_here, models_of, refuse_missing_equipment


def refuse_mistakes(experiment: Experiment, config: ExperimentConfig, path: Path) -> None:
    """Read and check everything that searches, trainings and evaluations of this experiment will need.

    Of hub models, only their configs are fetched; no weights are loaded.

    Args:
        path: of the run; nothing is written there.

    Raises:
        InputError: something is wrong with the config, a file or a model's name.
    """
    tasks = tasks_of(experiment, config, path)
    refused: dict[str, str] = {}
    for task in tasks:
        try:
            make_plan(task.config, search_folder(path, task.name))
            refuse_missing_equipment(models_of(task.config))
        except CANNOT_RUN as error:
            refused[task.name] = str(error)
    grid = make_grid(experiment, config, longest_sets(tasks, Setting(config), refused), path)
    _refuse_absent_models(grid)
    if any(cell.training is not None for cell in grid.cells):
        from workers.finetune.train import require_libraries  # noqa: PLC0415 -- torch

        require_libraries()
    with TemporaryDirectory() as folder:
        for benchmark in grid.benchmarks if grid.cells else ():
            evaluation = evaluation_of(grid, benchmark, {}, Path(folder), ledger_of(config, path))
            make_evaluation_plan(evaluation, path / benchmark.name)


def _refuse_absent_models(grid: Grid) -> None:
    """Served ones must have their keys; others must exist, as far as this machine sees what the workers will see."""
    config = grid.config
    for cell in grid.cells:
        if isinstance(cell.model, ServedModelConfig):
            make_model(cell.model, config.workers)
    if are_here(config.workers):
        from workers.shared_prefix.weights import find  # noqa: PLC0415 -- torch

        for model in _own_models(grid):
            find(model)


def refuse_absent_folders(grid: Grid) -> None:
    """Refuse models whose folder is missing, as far as that shows without fetching anything. Raises InputError."""
    for model in _own_models(grid) if are_here(grid.config.workers) else ():
        if model.names_folder and not (Path(model.name) / "config.json").is_file():
            raise InputError(
                f"model.name: {model.name} is not a folder with a model; set it to one, or to a hub model's name"
            )


def _own_models(grid: Grid) -> Iterator[ModelConfig]:
    """Every model that is loaded here, once."""
    seen: list[ModelConfig] = []
    for cell in grid.cells:
        if isinstance(cell.model, ModelConfig) and cell.model not in seen:
            seen.append(cell.model)
            yield cell.model
