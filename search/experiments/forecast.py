"""What an experiment takes, told before it starts: nothing is loaded, nothing is spent."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from configs.schema.experiment import ExperimentConfig
from configs.schema.model import ServedModelConfig
from search.experiments.cell import Cell, Hole
from search.experiments.checks import refuse_absent_folders
from search.experiments.experiment import Experiment
from search.experiments.found_sets import SearchTask
from search.experiments.grid import Grid, evaluation_of, make_grid
from search.experiments.places import ledger_of, models_folder
from search.experiments.searches import longest_sets, tasks_of
from search.experiments.setting import Setting
from search.experiments.training import is_trained, training_folder
from search.forecast.dry_run import Experience, forecast_evaluation, forecast_run
from search.forecast.forecast import Quantity, RunForecast
from search.forecast.token_length import GUESS, tokens_a_character
from search.run_directory.variant_records import read_variant_records

_SHOWN = ("generations", "new tokens", "verdicts", "judge tokens", "dollars", "GPU hours", "hours")
_BYTES_A_TOKEN = 4.0
_ROW = 600.0  # bytes of keys, counts and indices beside an answer's text


@dataclass(frozen=True, slots=True)
class ExperimentForecast:
    """Attributes:
    cells: that will run; of these, `done` have their results already.
    holes: that cannot run, as far as that is known beforehand.
    quantities: of generating and judging, all benchmarks and searches together, what is spent already included.
    trainings: models to be fine-tuned; of these, `trained` are there.
    training_gpu_hours: of those that are not there; None where the model's size is not known.
    disk_bytes: of answers, verdicts and models; None where the model's size is not known.
    notes: what the numbers rest on, a sentence each.
    """

    experiment: str
    cells: int
    done: int
    holes: tuple[Hole, ...]
    searches: int
    quantities: tuple[Quantity, ...]
    trainings: int
    trained: int
    training_gpu_hours: float | None
    disk_bytes: float | None
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As `--dry-run --json` prints it."""
        holes = [{"cell": one.name, "benchmark": one.benchmark, "reason": one.reason} for one in self.holes]
        return {**asdict(self), "holes": holes}


def forecast_experiment(
    experiment: Experiment, config: ExperimentConfig, path: Path | None, tokens_per_second: float | None = None
) -> ExperimentForecast:
    """Read and check everything.

    Args:
        path: the experiment's directory, where it has one already.

    Raises:
        InputError: something is wrong with config or files.
    """
    place = path or Path("runs")
    tasks = tasks_of(experiment, config, place)
    grid = make_grid(experiment, config, longest_sets(tasks, Setting(config)), place, is_dry=True)
    refuse_absent_folders(grid)
    assumed = config.forecast
    experience = Experience(
        None, tokens_per_second or assumed.tokens_per_second, assumed.answer_tokens, assumed.verdict_tokens
    )
    forecasts = [_search(task, place, experience) for task in tasks]
    distinct = Grid(experiment, config, tuple(_distinct(grid.cells)), grid.holes, grid.benchmarks, grid.conditions)
    with TemporaryDirectory() as folder:
        for benchmark in grid.benchmarks if grid.cells else ():
            evaluation = evaluation_of(distinct, benchmark, {}, Path(folder), ledger_of(config, place))
            begun = place / benchmark.name if (place / benchmark.name / "config.json").exists() else None
            forecasts.append(forecast_evaluation(evaluation, begun, experience))
    quantities = tuple(_summed(forecasts))
    trainings = list(_trainings(grid.cells, config, place))
    to_do = [cell for cell in trainings if not is_trained(cell, config, models_folder(config, place))]
    notes = dict.fromkeys(note for one in forecasts for note in one.notes)
    return ExperimentForecast(
        experiment=experiment.name,
        cells=len(grid.cells),
        done=_done(grid, place),
        holes=grid.holes,
        searches=len(tasks),
        quantities=quantities,
        trainings=len(trainings),
        trained=len(trainings) - len(to_do),
        training_gpu_hours=_training_hours(to_do, config),
        disk_bytes=_disk(quantities, trainings, config),
        notes=(*notes, *_further_notes(config, trainings, tasks)),
    )


def _search(task: SearchTask, place: Path, experience: Experience) -> RunForecast:
    folder = place / "searches" / task.name
    return forecast_run(task.config, folder if (folder / "config.json").exists() else None, experience)


def _distinct(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Cells that ask the same of the same model are answered once."""
    seen: list[tuple[object, ...]] = []
    for cell in cells:
        texts = [one.texts for one in cell.prompt.demonstrations]
        greedy = {"top_p": 1.0, "top_k": 0, "seed": 0} if cell.decoding.temperature == 0 else {}
        asked = (
            cell.prompt.rules,
            texts,
            cell.model,
            cell.render,
            cell.decoding.model_copy(update=greedy),
            cell.training,
        )
        if asked not in seen:
            seen.append(asked)
            yield cell


def _summed(forecasts: Iterable[RunForecast]) -> Iterator[Quantity]:
    by_name: dict[str, list[Quantity]] = defaultdict(list)
    for forecast in forecasts:
        for one in forecast.quantities:
            by_name[one.name].append(one)
    for name, parts in by_name.items():
        if name in _SHOWN:
            about, at_most, spent = (
                _sum(getattr(part, which) for part in parts) for which in ("about", "at_most", "spent")
            )
            yield Quantity(name, about, at_most, spent, None, next((part.note for part in parts if part.note), ""))


def _sum(values: Iterable[float | None]) -> float | None:
    """None where one is not known."""
    some = list(values)
    known = [value for value in some if value is not None]
    return sum(known) if len(known) == len(some) else None


def _done(grid: Grid, place: Path) -> int:
    """Cells that every benchmark has a result of."""
    named = [read_variant_records(place / benchmark.name).keys() for benchmark in grid.benchmarks]
    return sum(all(cell.name in names for names in named) for cell in grid.cells) if named else 0


def _trainings(cells: Iterable[Cell], config: ExperimentConfig, place: Path) -> Iterator[Cell]:
    """A cell for each model that is to be trained."""
    folders = set[Path]()
    for cell in cells:
        if cell.training is not None and not isinstance(cell.model, ServedModelConfig):
            folder = training_folder(cell, config, models_folder(config, place))
            if folder not in folders:
                folders.add(folder)
                yield cell


def _training_hours(cells: Iterable[Cell], config: ExperimentConfig) -> float | None:
    """Six operations a parameter and token; adapters save memory, hardly any operations."""
    tokens = sum(_training_tokens(cell, config) for cell in cells)
    if not tokens:
        return 0.0
    billions = config.forecast.billion_parameters
    if billions is None:
        return None
    return 6 * billions * 1e9 * tokens / (config.forecast.training_teraflops * 1e12) / 3600


def _training_tokens(cell: Cell, config: ExperimentConfig) -> float:
    assert cell.training is not None
    shown = cell.training.demonstrations
    text = "".join(text for one in shown for text in one.texts)
    rate, _ = tokens_a_character(cell.model, text[:20_000] or "-")
    return len(text) * rate * config.finetuning.length_for(len(shown)).epochs


def _disk(quantities: Iterable[Quantity], trainings: list[Cell], config: ExperimentConfig) -> float | None:
    """Ledger and results hold every answer twice; a model is kept whole, adapters merged into it."""
    by_name = {one.name: one for one in quantities}
    tokens = _known(by_name, "new tokens") + _known(by_name, "judge tokens") / 2
    rows = _known(by_name, "generations") + _known(by_name, "verdicts")
    answers = 2 * tokens * _BYTES_A_TOKEN + rows * _ROW
    if not trainings:
        return answers
    if config.forecast.billion_parameters is None:
        return None
    wide = 4 if config.finetuning.dtype == "float32" else 2
    models = sum(wide if cell.training and cell.training.method == "full" else 2 for cell in trainings)
    return answers + models * config.forecast.billion_parameters * 1e9


def _known(by_name: Mapping[str, Quantity], name: str) -> float:
    quantity = by_name.get(name)
    if quantity is None:
        return 0.0
    return quantity.about if quantity.about is not None else quantity.at_most or 0.0


def _further_notes(config: ExperimentConfig, trainings: list[Cell], tasks: list[SearchTask]) -> Iterator[str]:
    if config.ledger_path is not None:
        yield "what other runs on this ledger have paid for is found when a cell is asked, and is not paid again"
    if tasks:
        yield "prompts that are still to be found are taken to be the longest of the pool"
    if trainings:
        yield (
            f"training: six operations a parameter and token, {config.forecast.training_teraflops:g} teraflops a GPU; "
            f"lengths are guessed at {1 / GUESS:g} characters a token where the tokenizer is not here"
        )


def forecast_text(forecast: ExperimentForecast) -> str:
    """For people."""
    lines = [
        f"{forecast.experiment}: {forecast.cells} cells ({forecast.done} done), {len(forecast.holes)} holes, "
        f"{forecast.searches} searches, {forecast.trainings} models to fine-tune ({forecast.trained} there)"
    ]
    width = max((len(one.name) for one in forecast.quantities), default=0)
    for one in forecast.quantities:
        spent = f", {_shown(one.spent)} of it paid already" if one.spent else ""
        note = f" ({one.note})" if one.note else ""
        lines.append(f"  {one.name:<{width}}  about {_shown(one.about)}, at most {_shown(one.at_most)}{spent}{note}")
    if forecast.trainings:
        hours = _shown(forecast.training_gpu_hours)
        lines.append(f"  {'training':<{width}}  about {hours} GPU hours")
    disk = "unknown: set forecast.billion_parameters" if forecast.disk_bytes is None else _bytes(forecast.disk_bytes)
    lines.append(f"  {'disk':<{width}}  about {disk}")
    lines += [f"  hole: {hole.name}: {hole.reason}" for hole in forecast.holes]
    lines += [f"{note[:1].upper()}{note[1:]}." for note in forecast.notes]
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value:,.0f}" if value == 0 or value >= 100 else f"{value:,.3g}"


def _bytes(value: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value / 1e3:,.0f} kB"
