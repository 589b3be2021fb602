"""Models that cells are asked of after a training: made once, kept beside the ledger, found again by what they are."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from configs.errors import DemosearchError, InputError
from configs.plural import show_many
from configs.schema.experiment import ExperimentConfig
from configs.schema.model import AnyModelConfig, ModelConfig
from configs.schema.workers import WorkersConfig
from search.experiments.cell import Cell, Training
from search.prompts.demonstration import Demonstration, demonstration_of
from search.prompts.render import Renderer, make_renderer
from search.running.event_loop import in_own_loop

if TYPE_CHECKING:
    from workers.finetune.examples import TrainingExample
    from workers.finetune.train import Finetuning

_log = logging.getLogger(__name__)

Refused = str
"""Why a model cannot be trained; "" for nothing."""
Job = Callable[[], Refused]


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model as it was fine-tuned.

    Attributes:
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


def train(cells: Sequence[Cell], config: ExperimentConfig, models: Path) -> dict[str, TrainedModel | Refused]:
    """Train the cells' models, or go on with them, or find them: one after another here, or beside each other on Ray
    workers where there are several.

    Returns:
        By cell, the model; or why it cannot be had, which concerns that cell alone.

    Raises:
        InputError: nothing can be trained at all (TRL or PEFT is missing, no cluster).
    """
    folders = {cell.name: training_folder(cell, config, models) for cell in cells}
    to_do = {folders[cell.name]: cell for cell in cells if not _is_finished(folders[cell.name])}
    jobs = {folder: partial(_finetuned, _task(cell, config), folder) for folder, cell in to_do.items()}
    workers = training_workers(config.workers)
    in_parallel = len(jobs) > 1 and has_several(workers)
    failed = _on_ray(jobs, workers) if in_parallel else _one_by_one(jobs)
    return {cell.name: failed.get(folders[cell.name]) or trained_model(cell, folders[cell.name]) for cell in cells}


def _finetuned(task: "Finetuning", folder: Path) -> Refused:
    """Fine-tune where the models are. Returns why it failed; "" where it is done."""
    from workers.finetune.failures import FinetuningFailed  # noqa: PLC0415 -- with the extra
    from workers.finetune.train import finetune  # noqa: PLC0415 -- torch

    try:
        finetune(task, folder)
    except FinetuningFailed as error:
        return str(error)
    return ""


def _one_by_one(jobs: Mapping[Path, Job]) -> dict[Path, Refused]:
    failed = {}
    for number, (folder, job) in enumerate(jobs.items(), start=1):
        _log.info("fine-tuning %d of %d: %s", number, len(jobs), folder.name)
        failed[folder] = job()
    return failed


def _on_ray(jobs: Mapping[Path, Job], workers: WorkersConfig) -> dict[Path, Refused]:
    from workers.ray_cluster.jobs import run_jobs  # noqa: PLC0415 -- Ray

    folders, outcomes, ended = list(jobs), list[Refused | DemosearchError](), list[int]()

    def tell(number: int) -> None:
        ended.append(number)
        _log.info("fine-tuned %d of %d: %s", len(ended), len(jobs), folders[number].name)

    async def run() -> None:
        outcomes.extend(await run_jobs(list(jobs.values()), workers, tell))

    try:
        in_own_loop(run)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    failed = {folder: str(outcome) for folder, outcome in zip(folders, outcomes, strict=True)}
    return failed | {folder: _NOT_HERE for folder, why in failed.items() if not why and not _is_finished(folder)}


_NOT_HERE = (
    "its model was trained on a node whose files are not seen here: put ledger_path, beside which models are kept, "
    "on a file system that all nodes share"
)


def training_workers(workers: WorkersConfig) -> WorkersConfig:
    """The config's, with one whole GPU each, which is what a training uses; and as many as there are GPUs."""
    if workers.gpus_per_worker in {0, 1}:
        return workers
    each = "auto" if workers.gpus_per_worker == "auto" else 1
    count = workers.count if workers.ray.autoscaling else "auto"
    return workers.model_copy(update={"gpus_per_worker": each, "count": count})


def has_several(workers: WorkersConfig) -> bool:
    """Whether trainings have several workers to run on, as far as this machine can tell: a cluster's are taken to."""
    if workers.kind == "local":
        return False
    if workers.ray.address is not None or workers.count != "auto":
        return workers.count != 1
    import torch  # noqa: PLC0415 -- heavy

    return torch.cuda.device_count() > 1 and workers.max_count != 1


def trained_model(cell: Cell, folder: Path) -> TrainedModel | Refused:
    """What a finished training has left in its folder, or that there is nothing."""
    from workers.finetune.record import FinetunedModel  # noqa: PLC0415 -- with the extra

    training, base = _of(cell)
    made = FinetunedModel.read(folder)
    if made is None:
        return f"its model is missing from {folder}; the same command trains it again"
    examples = sum(len(demonstration.turns) for demonstration in training.demonstrations)
    note = (
        f"{len(made.too_long):,} of {show_many(examples, 'example was', 'examples were')} too long"
        if made.too_long
        else ""
    )
    return TrainedModel(base.model_copy(update={"name": str(made.model), "revision": None}), note)


def _is_finished(folder: Path) -> bool:
    from workers.finetune.record import FinetunedModel  # noqa: PLC0415 -- with the extra

    return FinetunedModel.read(folder) is not None


def _of(cell: Cell) -> tuple[Training, ModelConfig]:
    if cell.training is None or not isinstance(cell.model, ModelConfig):
        raise DemosearchError("only a model that this machine loads can be trained")
    return cell.training, cell.model


def _task(cell: Cell, config: ExperimentConfig) -> "Finetuning":
    from workers.finetune.train import Finetuning  # noqa: PLC0415 -- torch

    training, base = _of(cell)
    renderer = make_renderer(cell.render, base)
    examples = tuple(
        example for demonstration in training.demonstrations for example in training_examples(demonstration, renderer)
    )
    return Finetuning(base, config.finetuning, training.method, examples, training.seed)


def training_examples(demonstration: Demonstration, renderer: Renderer) -> Iterator["TrainingExample"]:
    """Examples of each turn: the prompt that asks for its answer without any other demonstration, and the answer as
    that prompt's form closes it.

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
