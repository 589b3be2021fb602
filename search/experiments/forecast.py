"""What an experiment takes, told before it starts: nothing is loaded, nothing is spent."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from configs.schema.experiment import BenchmarkConfig, ExperimentConfig
from configs.schema.model import AnyModelConfig
from search.experiments.cell import Cell, Hole
from search.experiments.checks import refuse_absent_folders
from search.experiments.disk_forecast import disk_quantity, too_little_disk
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.found_sets import SearchTask
from search.experiments.grid import Grid, evaluation_of, make_grid
from search.experiments.places import ledger_of, models_folder, search_folder
from search.experiments.searches import CANNOT_RUN, found_in, longest_sets, tasks_of
from search.experiments.setting import Setting
from search.experiments.training_forecast import PlannedTrainings, plan_trainings, sum_if_known
from search.forecast.dry_run import forecast_evaluation, forecast_run
from search.forecast.experience import NONE, Experience
from search.forecast.forecast import Quantity, RunForecast
from search.forecast.paid import PaidAlready, paid_already
from search.forecast.templates import DryTemplates
from search.forecast.token_length import GUESS, is_elsewhere
from search.results.wording import show_span
from search.run_directory.files import holds_run
from search.run_directory.state import read_noted_state
from search.running.evaluation_plan import make_evaluation_plan
from search.running.service_check import with_keys_to_come

_A_SECOND = 1 / 3600
_HOURS = ("GPU hours", "hours")
_SHOWN = ("generations", "new tokens", "verdicts", "judge tokens", "dollars", *_HOURS)


@dataclass(frozen=True, slots=True)
class ExperimentForecast:
    """What an experiment will take.

    Attributes:
        quantities: cells, answers, verdicts, hours, dollars and disk, all benchmarks, searches and trainings together;
            `spent` is what the ledger holds of it already, whoever paid for it.
        holes: that cannot run, as far as that is known beforehand.
        notes: what the numbers rest on, a sentence each.
        warnings: what will not fit the disk or a GPU, a sentence each.
    """

    experiment: str
    quantities: tuple[Quantity, ...]
    holes: tuple[Hole, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def as_run(self) -> RunForecast:
        """What is shown as for a run."""
        return RunForecast(self.quantities, (*self.notes, *(f"warning: {warning}" for warning in self.warnings)))

    def to_json(self) -> dict[str, Any]:
        """What `--dry-run --json` prints."""
        holes = [{"cell": hole.name, "benchmark": hole.benchmark, "reason": hole.reason} for hole in self.holes]
        return {
            "experiment": self.experiment,
            "quantities": [asdict(quantity) for quantity in self.quantities],
            "holes": holes,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }


def forecast_experiment(
    experiment: Experiment,
    config: ExperimentConfig,
    path: Path | None,
    tokens_per_second: float | None = None,
    patience: float = NONE.patience,
) -> ExperimentForecast:
    """Read and check everything.

    Args:
        path: the experiment's directory, where it has one already.
        patience: seconds that the rehearsal of a search may take; what longer ones ask for is told as "at most".

    Raises:
        InputError: something is wrong with config or files.
    """
    place = path or Path("runs")
    tasks = tasks_of(experiment, config, place)
    assumed = config.forecast
    speed = tokens_per_second or assumed.tokens_per_second
    experience = Experience(None, speed, assumed.answer_tokens, assumed.verdict_tokens, assumed.gpus, patience)
    searches, refused = _searches(tasks, place, experience)
    found_sets = longest_sets(tasks, Setting(config), refused) | {**_found_sets(tasks, place)}
    grid = make_grid(experiment, config, found_sets, place, is_dry=True)
    refuse_absent_folders(grid)
    distinct = replace(grid, cells=tuple(_distinct(grid.cells)))
    planned = plan_trainings(grid.cells, config, models_folder(config, place))
    forecasts = [*searches]
    paid: list[PaidAlready] = []
    for benchmark in grid.benchmarks if grid.cells else ():
        forecasts.append(_evaluation(distinct, benchmark, place, experience))
        paid.append(_paid(grid, benchmark, planned, place))
    spent, summed = _spent(searches, paid), list(_summed(forecasts))
    answered = [_with_spent(quantity, spent, summed[0]) for quantity in summed]
    with_training = [_with_training(quantity, planned, assumed.gpus or 1) for quantity in answered]
    disk = disk_quantity(answered, planned)
    return ExperimentForecast(
        experiment=experiment.name,
        quantities=(
            _cells(grid, paid),
            *([_begun(searches, tasks, place)] if tasks else []),
            *([planned.quantity] if planned.trainings else []),
            *with_training,
            disk,
        ),
        holes=grid.holes,
        notes=tuple(dict.fromkeys([*_notes(forecasts), *_further_notes(grid, planned, tasks)])),
        warnings=(*too_little_disk(disk, ledger_of(config, place)), *planned.memory_warnings(assumed.gpu_memory_gb)),
    )


def _searches(
    tasks: Iterable[SearchTask], place: Path, experience: Experience
) -> tuple[list[RunForecast], dict[str, str]]:
    """What the searches would take; and why others cannot run, by name."""
    forecasts, refused = list[RunForecast](), dict[str, str]()
    for task in tasks:
        folder = search_folder(place, task.name)
        try:
            begun = folder if holds_run(folder) else None
            forecast = forecast_run(task.config, begun, experience)
            forecasts.append(_as_ended(forecast) if _is_finished(folder) else forecast)
        except CANNOT_RUN as error:
            refused[task.name] = str(error)
    return forecasts, refused


def _is_finished(search: Path) -> bool:
    return read_noted_state(search).get("state") == "finished"


def _found_sets(tasks: Iterable[SearchTask], place: Path) -> FoundSets:
    """What the finished searches have found."""
    folders = {task.name: search_folder(place, task.name) for task in tasks}
    return {name: found_in(folder) for name, folder in folders.items() if _is_finished(folder)}


def _as_ended(forecast: RunForecast) -> RunForecast:
    """What a finished search has taken is all that it takes."""
    counted = ("generations", "verdicts", "dollars")
    return replace(
        forecast,
        quantities=tuple(
            replace(quantity, about=quantity.spent, at_most=quantity.spent) if quantity.name in counted else quantity
            for quantity in forecast.quantities
        ),
    )


def _evaluation(grid: Grid, benchmark: BenchmarkConfig, place: Path, experience: Experience) -> RunForecast:
    begun = place / benchmark.name if holds_run(place / benchmark.name) else None
    with TemporaryDirectory() as folder:
        config = evaluation_of(grid, benchmark, {}, Path(folder), ledger_of(grid.config, place))
        # what is paid for, `_paid` looks up, trained models included
        return forecast_evaluation(config, begun, experience, look_up=False, leave_out=True)


def _paid(grid: Grid, benchmark: BenchmarkConfig, planned: PlannedTrainings, place: Path) -> PaidAlready:
    """What the ledger holds; a model that is still to be trained has answered nothing."""
    ledger, models = ledger_of(grid.config, place), dict[str, AnyModelConfig]()
    for cell in grid.cells:
        if (trained := planned.trained.get(cell.name)) is not None:
            models[cell.name] = trained
    cells = tuple(cell for cell in grid.cells if cell.training is None or cell.name in models)
    if not ledger.exists() or not cells:
        return PaidAlready()
    environment, _ = with_keys_to_come(grid.config)
    with TemporaryDirectory() as folder:
        evaluation = evaluation_of(replace(grid, cells=cells), benchmark, models, Path(folder), ledger)
        return paid_already(
            make_evaluation_plan(evaluation, place / benchmark.name, environment, DryTemplates().load), [ledger]
        )


def _distinct(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Cells that ask the same of the same model are answered once."""
    seen: list[tuple[object, ...]] = []
    for cell in cells:
        if cell.asked not in seen:
            seen.append(cell.asked)
            yield cell


def _summed(forecasts: Iterable[RunForecast]) -> Iterator[Quantity]:
    by_name: dict[str, list[Quantity]] = defaultdict(list)
    for forecast in forecasts:
        for quantity in forecast.quantities:
            by_name[quantity.name].append(quantity)
    for name in _SHOWN:
        parts = by_name[name]
        if parts:
            about, at_most, spent = (
                sum_if_known(getattr(part, which) for part in parts) for which in ("about", "at_most", "spent")
            )
            note = next((part.note for part in parts if part.note), "")
            yield Quantity(name, about, at_most, spent, None, _for_experiments(note))


def _for_experiments(note: str) -> str:
    """The advice of a run's forecast, with the settings that an experiment has for it."""
    for option in ("--answer-tokens or ", "--tokens-per-second or ", ", or --like RUN"):
        note = note.replace(option, "")
    return note


def _spent(searches: Sequence[RunForecast], paid: Sequence[PaidAlready]) -> dict[str, float]:
    """What is spent by quantity: for the cells, as the ledger has it, and by this experiment's searches."""
    own = {quantity.name: quantity.spent or 0.0 for quantity in _summed(searches)}
    already = {
        "generations": sum(stored.generations for stored in paid),
        "verdicts": sum(stored.verdicts for stored in paid),
        "dollars": sum(stored.dollars for stored in paid),
    }
    return {name: own.get(name, 0.0) + number for name, number in already.items()}


def _with_spent(quantity: Quantity, spent: Mapping[str, float], generations: Quantity) -> Quantity:
    """Hours are paid in the share that paid answers have of all."""
    if quantity.name not in _HOURS:
        return replace(quantity, spent=spent.get(quantity.name, quantity.spent))
    whole = generations.about or generations.at_most
    paid = min(1.0, spent["generations"] / whole) if whole else 0.0
    return replace(quantity, spent=None if quantity.about is None else paid * quantity.about)


def _with_training(quantity: Quantity, planned: PlannedTrainings, gpus: float) -> Quantity:
    """GPU hours and hours of answers and of trainings together; a training takes one GPU."""
    if quantity.name not in _HOURS or not planned.trainings:
        return quantity
    shared = 1 if quantity.name == "GPU hours" else gpus
    hours = None if planned.gpu_hours is None else planned.gpu_hours / shared
    both = [sum_if_known([number, hours]) for number in (quantity.about, quantity.at_most)]
    says = [f"{show_span(3600 * hours)} of it for training"] if hours and hours > _A_SECOND else []
    note = "; ".join([*([quantity.note] if quantity.note else []), *says])
    return replace(quantity, about=both[0], at_most=both[1], note=note)


def _cells(grid: Grid, paid: Sequence[PaidAlready]) -> Quantity:
    complete = [cell for cell in grid.cells if paid and all(cell.name in stored.complete for stored in paid)]
    note = f"{len(grid.holes):,} more will be missing" if grid.holes else ""
    return Quantity("cells", len(grid.cells), len(grid.cells), len(complete), None, note)


def _begun(searches: Sequence[RunForecast], tasks: Sequence[SearchTask], place: Path) -> Quantity:
    begun = sum(holds_run(search_folder(place, task.name)) for task in tasks)
    return Quantity("searches", len(searches), len(searches), begun, None, "begun ones count as paid" if begun else "")


def _notes(forecasts: Iterable[RunForecast]) -> Iterator[str]:
    for forecast in forecasts:
        yield from forecast.notes


def _further_notes(grid: Grid, planned: PlannedTrainings, tasks: Sequence[SearchTask]) -> Iterator[str]:
    config = grid.config
    if config.ledger_path is not None:
        yield f"paid already: looked up in {config.ledger_path}, whichever run has paid"
    if tasks:
        yield "prompts that are still to be found are taken to be the longest of the pool"
    elsewhere = dict.fromkeys(cell.model.name for cell in grid.cells if is_elsewhere(cell.model))
    if elsewhere:
        yield f"not on this machine, so neither names nor contexts are checked: {', '.join(elsewhere)}"
    if planned.trainings:
        yield from planned.memory_notes(config.forecast.gpu_memory_gb)
        yield (
            f"training: six operations a parameter and token, {config.forecast.training_teraflops:g} teraflops a GPU; "
            f"lengths are guessed at {1 / GUESS:g} characters a token where the tokenizer is not here"
        )
