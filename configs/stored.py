"""Configs as plain JSON values, and back."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from configs.errors import InputError
from configs.schema.evaluation import EvaluationConfig
from configs.schema.knobs import Knobs
from configs.schema.run import RunConfig
from configs.validation_messages import complaints

K = TypeVar("K", bound=Knobs)


def dump_config(config: Knobs) -> dict[str, Any]:
    """Every knob as plain JSON values, paths absolute: `restore_config` gives the same config anywhere."""
    return config.model_dump(mode="json")


def restore_config(dumped: Mapping[str, Any], source: str = "the manifest") -> RunConfig:
    """The inverse of `dump_config`, for a search; `source` names the origin in a complaint."""
    return validated(dict(dumped), source, RunConfig)


def restore_evaluation(dumped: Mapping[str, Any], source: str = "the manifest") -> EvaluationConfig:
    """Restore an evaluation's config; see `restore_config`."""
    return validated(dict(dumped), source, EvaluationConfig)


def validated(values: dict[str, Any], source: str, kind: type[K], context: dict[str, Any] | None = None) -> K:
    """A config of these values. Without a context, paths and model names are taken as they stand, since all of it has
    been checked before.

    Raises:
        InputError: anything is wrong with them; every problem is listed.
    """
    try:
        return kind.model_validate(values, context=context)
    except ValidationError as error:
        problems = complaints(error, kind)
    if len(problems) == 1:
        raise InputError(f"{source}: {problems[0]}")
    raise InputError("\n  ".join([f"{source} has {len(problems)} problems:", *problems]))
