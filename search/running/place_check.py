"""Places that a config names, a ledger and models, checked before anything is spent."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from configs.errors import InputError
from configs.model_folder import refuse_unfetched
from configs.schema.evaluation import EvaluationConfig
from configs.schema.model import AnyModelConfig, NamedWeightsConfig
from configs.schema.run import RunConfig


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


def missing_models(models: Iterable[AnyModelConfig], *, here: bool) -> Iterator[str]:
    """A sentence for each folder that a model is to be read from and that holds none on this machine.

    Args:
        here: whether models are loaded on this machine; then it is an error, and so is one that was fetched in part.
    """
    for model in models:
        if not isinstance(model, NamedWeightsConfig):
            continue
        folder = Path(model.name)
        if (not os.path.exists(folder) and not model.names_folder) or os.path.isfile(folder / "config.json"):  # noqa: PTH110, PTH113 - Path's own raise for a name that is too long or hidden
            if here and os.path.isdir(folder):  # noqa: PTH112 - the same
                refuse_unfetched(folder)
            continue
        sentence = f"model.name: {model.name} is no folder with a model (it has no config.json)"
        if here:
            raise InputError(f"{sentence}; give a model's folder or a hub model's name")
        yield f"{sentence} on this machine; workers elsewhere must have it"
