"""Places that a config names, a ledger and models, checked before anything is spent."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from configs.errors import InputError
from configs.model_folder import refuse_unfetched
from configs.schema.evaluation import EvaluationConfig
from configs.schema.judge import EnsembleJudgeConfig, JudgeConfig, RewardModelJudgeConfig
from configs.schema.judge_knobs import LanguageModelJudgeKnobs
from configs.schema.model import (
    AnyModelConfig,
    NamedWeightsConfig,
    RewardModelConfig,
    ServedModelConfig,
    StartedServerConfig,
    WeightsConfig,
    is_path,
)
from configs.schema.run import RunConfig
from configs.schema.search_judge import screening_judge
from configs.schema.workers import WorkersConfig
from workers.started_server.command_line import program_of


def refuse_unusable_ledger(config: RunConfig | EvaluationConfig) -> None:
    """Raise InputError where no ledger can be made or opened at `ledger_path`."""
    path = config.ledger_path
    if path is None:
        return
    exists = True
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        exists = False
    except OSError as error:  # a name that is too long, or a folder that nobody may enter
        raise InputError(f"ledger_path: {path} cannot be made ({error.strerror}); name another file") from error
    nearest = next((parent for parent in path.absolute().parents if os.path.lexists(parent)), Path("/"))
    if exists and not path.is_file():
        raise InputError(f"ledger_path: {path} is a folder or a device; name a file")
    if not nearest.is_dir():
        raise InputError(f"ledger_path: {nearest} is no folder, so {path} cannot be made; name another file")
    if not os.access(path if exists else nearest, os.W_OK):
        raise InputError(f"ledger_path: {path} cannot be written; name a file on a disk that takes writes")


class ModelPlace(NamedTuple):
    """A model that a config names: its weights are loaded, a server is started with it, or one has it.

    Attributes:
        knob: that names it.
        is_here: whether it is loaded, or its server started, on this machine.
    """

    knob: str
    model: AnyModelConfig | RewardModelConfig
    is_here: bool


def are_here(workers: WorkersConfig) -> bool:
    """Whether these workers run on this machine: in this process, or in a Ray cluster that is started for them."""
    return workers.kind == "local" or workers.ray.address is None


def models_of_judges(config: JudgeConfig) -> Iterator[ModelPlace]:
    """Every model of a judge that is loaded, the screening judge's included."""
    yield from _models_of_judge("judge", config)
    if (first := screening_judge(config)) is not None:
        yield from _models_of_judge("judge.screening", first)


def _models_of_judge(knob: str, config: JudgeConfig) -> Iterator[ModelPlace]:
    if isinstance(config, EnsembleJudgeConfig):
        for at, member in enumerate(config.members):
            yield from _models_of_judge(f"{knob}.members[{at}].judge", member.judge)
    elif isinstance(config, LanguageModelJudgeKnobs | RewardModelJudgeConfig) and config.model is not None:
        yield ModelPlace(f"{knob}.model", config.model, config.workers is None or are_here(config.workers))


def models_of(config: RunConfig) -> Iterator[ModelPlace]:
    """Every model of a search."""
    yield ModelPlace("model", config.model, are_here(config.workers))
    yield from models_of_judges(config.judge)


def refuse_missing_models(models: Iterable[ModelPlace]) -> None:
    """Raise InputError where a model that is loaded on this machine cannot be: its folder or its tokenizer is missing,
    or its files were fetched in part."""
    for knob, model, is_here in models:
        if isinstance(model, ServedModelConfig):
            if model.tokenizer and is_path(model.tokenizer) and not os.path.isdir(model.tokenizer):  # noqa: PTH112 - Path's own raise for a name that is too long
                raise InputError(f"{knob}.tokenizer: {model.tokenizer} is no folder; give one, or a hub model's name")
        elif is_here:
            _refuse_missing(knob, model)


def refuse_missing_equipment(models: Iterable[ModelPlace]) -> None:
    """Raise InputError where the program or the GPU of a model that is loaded on this machine is missing. A machine
    that only plans, such as a cluster's login node, may lack them."""
    for knob, model, is_here in models:
        if is_here and isinstance(model, StartedServerConfig):
            program_of(model)
        elif is_here and isinstance(model, WeightsConfig) and model.device == "cuda":
            from workers.shared_prefix.weights import device_of  # noqa: PLC0415 -- torch

            device_of(model, knob)


def _refuse_missing(knob: str, model: NamedWeightsConfig) -> None:
    if (sentence := _missing(knob, model)) is not None:
        raise InputError(f"{sentence}; give a model's folder or a hub model's name")
    if os.path.isdir(model.name):  # noqa: PTH112 - Path's own raise for a name that is too long or hidden
        refuse_unfetched(Path(model.name))


def notes_on_models(models: Iterable[ModelPlace]) -> Iterator[str]:
    """A sentence for each model that this machine cannot load, and for each folder that workers elsewhere must have and
    that holds no model here."""
    for place in models:
        knob, model, is_here = place
        try:
            refuse_missing_models([place])
            refuse_missing_equipment([place])
        except InputError as error:
            yield f"{model.name} cannot be loaded on this machine: {error}"
        if not is_here and isinstance(model, NamedWeightsConfig) and (sentence := _missing(knob, model)) is not None:
            yield f"{sentence} on this machine; workers elsewhere must have it"


def _missing(knob: str, model: NamedWeightsConfig) -> str | None:
    """What is wrong with the place that a model is read from; None for a hub model's name, and where it is there."""
    name = model.name
    if isinstance(model, StartedServerConfig) and os.path.isfile(name):  # noqa: PTH113 - as above
        return None  # GGUF, which more servers than llama.cpp's read
    if isinstance(model, StartedServerConfig) and model.engine == "llama_cpp":
        return f"{knob}.name: {name} is no GGUF file"
    if (not os.path.isdir(name) and not is_path(name)) or os.path.isfile(os.path.join(name, "config.json")):  # noqa: PTH112, PTH113, PTH118 - as above
        return None
    return f"{knob}.name: {name} is no folder with a model (it has no config.json)"
