"""The cells of an experiment, and which of them cannot run."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from os import environ
from pathlib import Path

from configs.errors import InputError
from configs.schema.data import RenderConfig
from configs.schema.evaluation import EvaluationConfig, VariantConfig
from configs.schema.experiment import BenchmarkConfig, ExperimentConfig
from configs.schema.model import AnyModelConfig, ModelConfig
from evaluators.failures import ReferencesMissing
from evaluators.objective import Objective
from evaluators.question import Question
from search.experiments.cell import Cell, Hole
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.prompt_length import LengthLimit
from search.experiments.setting import Setting
from search.forecast.templates import DryTemplates
from search.forecast.token_length import is_elsewhere
from search.problem.split import load_questions
from search.prompts.render import make_renderer
from search.prompts.urial import BasePrompt
from search.run_directory.files import write_json
from search.running.judges import make_judges
from search.running.service_check import with_keys_to_come
from workers.chat_template import ChatTemplate, LoadTemplate
from workers.failures import ChatTemplateMissing


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of an experiment, and what they are put to.

    Attributes:
        cells: that can run, in the table's order.
        holes: that cannot, with their reasons.
        benchmarks: that the cells are put to.
        conditions: of cells and holes, each once, in the table's order.
    """

    experiment: Experiment
    config: ExperimentConfig
    cells: tuple[Cell, ...]
    holes: tuple[Hole, ...]
    benchmarks: tuple[BenchmarkConfig, ...]
    conditions: tuple[dict[str, str | int | float], ...]


def make_grid(
    experiment: Experiment, config: ExperimentConfig, found_sets: FoundSets, path: Path, *, is_dry: bool = False
) -> Grid:
    """Every cell, checked as far as that goes without a model.

    Args:
        found_sets: by the experiment's searches.
        path: of the run; nothing is written there.
        is_dry: no key is needed, nothing is fetched, and what only a model's files tell is guessed where they are not
            on this machine.

    Raises:
        InputError: the config is wrong, a file is missing or malformed, or no benchmark can judge anything.
    """
    environment = with_keys_to_come(config)[0] if is_dry else environ
    meant = [
        benchmark
        for benchmark in config.benchmarks
        if benchmark.experiments is None or experiment.name in benchmark.experiments
    ]
    load_template = DryTemplates().load if is_dry else ChatTemplate.load
    usable, refused = _usable(meant, path, environment, load_template)
    asked = [
        question.turns[: Objective.of(benchmark.scoring).turns]
        for benchmark, questions in usable
        for question in questions
    ]
    limits = LengthLimit(asked, may_guess=is_dry)
    cells, holes, conditions = [], [], []
    for entry in experiment.cells(Setting(config), found_sets):
        if dict(entry.condition) not in conditions:
            conditions.append(dict(entry.condition))
        checked = entry if isinstance(entry, Hole) else _check(_renderable(entry) if is_dry else entry, limits)
        if isinstance(checked, Hole):
            holes.append(checked)
        else:
            cells.append(checked)
    holes += [Hole(cell.condition, reason, cell.draw, name) for name, reason in refused.items() for cell in cells]
    benchmarks = tuple(benchmark for benchmark, _ in usable)
    return Grid(experiment, config, tuple(cells), tuple(holes), benchmarks, tuple(conditions))


def _usable(
    benchmarks: Iterable[BenchmarkConfig], path: Path, environment: Mapping[str, str], load_template: LoadTemplate
) -> tuple[list[tuple[BenchmarkConfig, tuple[Question, ...]]], dict[str, str]]:
    """The benchmarks whose questions can be judged, with these, and why others lack references, by name."""
    usable, refused = [], {}
    for benchmark in benchmarks:
        questions, _ = load_questions(benchmark.questions, benchmark.side)
        judges = make_judges(benchmark.judge, path, environment, load_template)
        try:
            judges.check(questions, Objective.of(benchmark.scoring))
            usable.append((benchmark, questions))
        except ReferencesMissing as error:
            refused[benchmark.name] = str(error)
    if not usable:
        raise InputError(f"no benchmark can be judged: {'; '.join(refused.values())}")
    return usable, refused


def _renderable(cell: Cell) -> Cell:
    """The cell as it can be rendered without fetching anything: in the base model's form where its chat template is not
    here.
    """
    if cell.render.template == "chat" and is_elsewhere(cell.model):
        return replace(cell, render=RenderConfig())
    return cell


def _check(cell: Cell, limits: LengthLimit) -> Cell | Hole:
    if cell.training is not None and not isinstance(cell.model, ModelConfig):
        return Hole(cell.condition, "a served model cannot be trained here", cell.draw)
    if cell.training is not None and cell.render.template == "chat":
        return Hole(cell.condition, "fine-tuning takes prompts of a URIAL form: set render.template", cell.draw)
    try:
        renderer = make_renderer(cell.render, cell.model)
    except ChatTemplateMissing as error:
        return Hole(cell.condition, str(error).rstrip("."), cell.draw)
    except InputError as error:
        if not isinstance(cell.model, ModelConfig) or not (Path(cell.model.name) / "config.json").is_file():
            raise  # its name may be a mistake
        return Hole(cell.condition, str(error).rstrip("."), cell.draw)
    reason = limits.reason_against(cell, renderer)
    return cell if reason is None else Hole(cell.condition, reason, cell.draw)


def write_prompt(prompt: BasePrompt, folder: Path) -> Path:
    """A file that an evaluation's variant reads as exactly this prompt, named after what it holds."""
    rows = [demonstration.fields for demonstration in prompt.demonstrations]
    content = {"rules": prompt.rules, "demonstrations": rows}
    digest = sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    target = folder / f"{digest}.json"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(target, content)
    return target


def evaluation_of(
    grid: Grid, benchmark: BenchmarkConfig, models: dict[str, AnyModelConfig], folder: Path, ledger: Path
) -> EvaluationConfig:
    """The grid's cells as the variants of one evaluation.

    Args:
        models: in the place of a cell's own, by the cell's name, where it was trained.
        folder: of prompt files.
    """
    config = grid.config
    variants = tuple(
        VariantConfig(
            name=cell.name,
            prompt=write_prompt(cell.prompt, folder) if cell.prompt.rules or cell.prompt.demonstrations else None,
            model=models.get(cell.name, cell.model),
            render=cell.render,
            decoding=cell.decoding,
        )
        for cell in grid.cells
    )
    return EvaluationConfig(
        variants=variants,
        questions=benchmark.questions,
        side=benchmark.side,
        render=config.render,
        model=config.model,
        decoding=config.decoding,
        judge=benchmark.judge,
        scoring=benchmark.scoring,
        budget=config.budget,
        workers=config.workers,
        ledger_path=ledger,
    )
