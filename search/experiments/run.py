"""Run an experiment to its table: searches, trainings, then one evaluation a benchmark, all on one ledger.

Every part is resumable by itself and is asked again in the same order, so the same command goes on after any end.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from configs.atomic_file import drafts, remove_drafts
from configs.errors import InputError, RunStopped
from configs.schema.experiment import ExperimentConfig
from configs.schema.model import AnyModelConfig
from configs.stored import dump_config
from search.experiments.cell import Hole
from search.experiments.checks import refuse_mistakes
from search.experiments.experiment import Experiment
from search.experiments.forecast import ExperimentForecast, forecast_experiment
from search.experiments.grid import Grid, evaluation_of, make_grid
from search.experiments.places import ledger_of, models_folder
from search.experiments.read_results import read_results
from search.experiments.results import ExperimentResults
from search.experiments.searches import run_searches
from search.experiments.training import train
from search.experiments.written import write_all
from search.run_directory.files import read_json, write_json
from search.running.evaluate import evaluate

_CLAIM = "experiment.json"
_PATIENCE = 2.0
"""Seconds that the rehearsal of a search may take where the real one comes next."""

_log = logging.getLogger(__name__)


def run_experiment(
    experiment: Experiment,
    config: ExperimentConfig,
    path: Path,
    console: Console | None = None,
    images: bool = True,
    tell: Callable[[ExperimentForecast], None] | None = None,
) -> ExperimentResults:
    """Run it in the directory `path`, a new one or that of an earlier call, and write table, figure and page there.

    Args:
        images: figures as files too, where this machine has what draws them.
        tell: is given what it will take, before anything is spent.

    Raises:
        InputError: something is wrong with config, files or directory.
        RunStopped: it cannot go on now, or no cell could be scored; everything paid for is kept, and the same call
            goes on.
    """
    path = path.absolute()  # a judge function may change the working directory
    _refuse_other(experiment, path)
    refuse_mistakes(experiment, config, path)
    if tell is not None:
        tell(forecast_experiment(experiment, config, path, patience=_PATIENCE))
    _claim(experiment, config, path)
    found_sets = run_searches(experiment, config, path, console)
    grid = make_grid(experiment, config, found_sets, path)
    _log.info("%s: %d cells can run, %d cannot", experiment.name, len(grid.cells), len(grid.holes))
    grid, models, notes = _trained(grid, path)
    for benchmark in grid.benchmarks:
        if grid.cells:
            evaluation = evaluation_of(grid, benchmark, models, path / "prompts", ledger_of(config, path))
            evaluate(evaluation, path / benchmark.name, console, leave_out=True)
    results = read_results(grid, found_sets, path, notes)
    write_all(results, path, images)
    if results.holes and not results.cells:
        first = results.holes[0]
        raise RunStopped(f"no cell of the table could be scored ({first.name}: {first.reason}): fix that, then go on")
    return results


def _refuse_other(experiment: Experiment, path: Path) -> None:
    """Raises InputError where the directory holds something else."""
    earlier = read_json(path / _CLAIM)
    if earlier and earlier["experiment"] != experiment.name:
        raise InputError(f"{path} holds the experiment '{earlier['experiment']}': choose another --run-dir")
    if earlier or not path.exists():
        return
    left = drafts(path, (_CLAIM,))  # of a process that was killed in its first write
    if {*path.iterdir()} - {*left}:
        raise InputError(f"{path} exists and is not empty: choose another --run-dir")


def _claim(experiment: Experiment, config: ExperimentConfig, path: Path) -> None:
    """The directory is this experiment's from here on."""
    path.mkdir(parents=True, exist_ok=True)
    remove_drafts(path, (_CLAIM,))
    write_json(path / _CLAIM, {"experiment": experiment.name, "config": dump_config(config)})


def _trained(grid: Grid, path: Path) -> tuple[Grid, dict[str, AnyModelConfig], list[str]]:
    """The grid without cells whose training failed, which become holes; the models by cell; what is to be said."""
    wanted = [cell for cell in grid.cells if cell.training is not None]
    if not wanted:
        return grid, {}, []
    outcomes = train(wanted, grid.config, models_folder(grid.config, path))
    made = {name: outcome for name, outcome in outcomes.items() if not isinstance(outcome, str)}
    holes = [Hole(cell.condition, str(outcomes[cell.name]), cell.draw) for cell in wanted if cell.name not in made]
    cells = tuple(cell for cell in grid.cells if cell.training is None or cell.name in made)
    notes = [f"{name}: {model.note}" for name, model in made.items() if model.note]
    return (
        replace(grid, cells=cells, holes=(*grid.holes, *holes)),
        {name: trained.model for name, trained in made.items()},
        notes,
    )
