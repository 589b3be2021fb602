"""Places that a config names, a ledger and models, checked before anything is spent."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from configs.errors import InputError
from configs.model_folder import refuse_unfetched
from configs.schema.evaluation import EvaluationConfig
from configs.schema.judge import JudgeConfig, RewardModelJudgeConfig
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
    """A model that weights are loaded for, or a server is started with.

    Attributes:
        knob: of the config.
        is_here: whether that is done on this machine.
    """

    knob: str
    model: AnyModelConfig | RewardModelConfig
    is_here: bool


def models_of_judges(config: JudgeConfig) -> Iterator[ModelPlace]:
    """Every model of a judge that is loaded, the screening judge's included."""
    first = screening_judge(config)
    for knob, judges in (("judge", config.judges), ("judge.screening", first.judges if first else ())):
        for judge in judges:
            if isinstance(judge, LanguageModelJudgeKnobs | RewardModelJudgeConfig) and judge.model is not None:
                yield ModelPlace(f"{knob}.model", judge.model, judge.workers is None or judge.workers.kind == "local")


def models_of(config: RunConfig) -> Iterator[ModelPlace]:
    """Every model of a search."""
    yield ModelPlace("model", config.model, config.workers.kind == "local")
    yield from models_of_judges(config.judge)


def refuse_missing_models(models: Iterable[ModelPlace]) -> None:
    """Raise InputError where a model that is loaded on this machine cannot be: its folder, its GPU, the program that
    serves it, or its tokenizer is missing, or its files were fetched in part."""
    for knob, model, is_here in models:
        if isinstance(model, ServedModelConfig):
            if model.tokenizer and is_path(model.tokenizer) and not os.path.isdir(model.tokenizer):  # noqa: PTH112 - Path's own raise for a name that is too long
                raise InputError(f"{knob}.tokenizer: {model.tokenizer} is no folder; give one, or a hub model's name")
        elif is_here:
            _refuse_missing(knob, model)


def _refuse_missing(knob: str, model: NamedWeightsConfig) -> None:
    if isinstance(model, StartedServerConfig):
        program_of(model)
    elif isinstance(model, WeightsConfig) and model.device == "cuda":
        from workers.shared_prefix.weights import device_of  # noqa: PLC0415 -- torch

        device_of(model, knob)
    if (sentence := _missing(knob, model)) is not None:
        raise InputError(f"{sentence}; give a model's folder or a hub model's name")
    if os.path.isdir(model.name):  # noqa: PTH112 - Path's own raise for a name that is too long or hidden
        refuse_unfetched(Path(model.name))


def missing_elsewhere(models: Iterable[ModelPlace]) -> Iterator[str]:
    """A sentence for each folder that a model is to be read from by workers elsewhere, and that holds none here."""
    for knob, model, is_here in models:
        if not is_here and isinstance(model, NamedWeightsConfig) and (sentence := _missing(knob, model)) is not None:
            yield f"{sentence} on this machine; workers elsewhere must have it"


def _missing(knob: str, model: NamedWeightsConfig) -> str | None:
    """What is wrong with the place that a model is read from; None for a hub model's name, and where it is there."""
    name = model.name
    if isinstance(model, StartedServerConfig) and model.engine == "llama_cpp":
        return None if os.path.isfile(name) else f"{knob}.name: {name} is no GGUF file"  # noqa: PTH113 - as above
    if (not os.path.exists(name) and not is_path(name)) or os.path.isfile(os.path.join(name, "config.json")):  # noqa: PTH110, PTH113, PTH118 - as above
        return None
    return f"{knob}.name: {name} is no folder with a model (it has no config.json)"
