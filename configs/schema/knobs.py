"""What every group of knobs is made of: paths that are anchored, shares, refusal of what is unknown."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)

from configs.schema.attribute_docstrings import attribute_docstrings


class FromCommandLine(str):
    """A value typed after `--set`: its relative paths start at the working directory, not at the YAML file."""

    __slots__ = ()


def _anchored(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, (str, Path)) or info.context is None:
        return value
    if not str(value):
        raise ValueError("an empty text is not a path; name a file, or leave the setting out")
    try:
        path, folder = Path(value).expanduser(), Path(info.context["folder"])
        if isinstance(value, FromCommandLine) or (info.context.get("is_preset") and not (folder / path).exists()):
            folder = Path.cwd()  # a preset's own files come with it; what it has fetched, and what it writes, does not
        return (folder / path).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a zero byte, a loop of links, an unknown user's home
        raise ValueError(f"{str(value)[:60]!r} is not a usable path ({error})") from None


def _model_name(value: Any, info: ValidationInfo) -> Any:
    folder = _anchored(value, info)
    with suppress(OSError, ValueError):  # a name that is too long for a folder may still be one of a model
        return str(folder) if isinstance(folder, Path) and folder.is_dir() else value
    return value


LocalPath = Annotated[Path, BeforeValidator(_anchored)]


ModelName = Annotated[str, BeforeValidator(_model_name)]


Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""Seed of random numbers; what all libraries take."""


Share = Annotated[float, Field(gt=0, lt=1)]


def _add_descriptions(schema: dict[str, Any], owner: type[BaseModel]) -> None:
    described = attribute_docstrings(owner)
    for name in schema["properties"].keys() & described.keys():
        schema["properties"][name]["description"] = described[name]


class Knobs(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        protected_namespaces=(),
        defer_build=True,  # a command validates one of the configs that it imports
        json_schema_extra=_add_descriptions,
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_truth_as_number(cls, given: Any) -> Any:
        """Refuse `yes`, which YAML reads as true and pydantic as 1, where a number is wanted."""
        for name, value in given.items() if isinstance(given, dict) else ():
            if isinstance(value, bool) and name in cls.model_fields:
                kinds = {*_kinds(cls.model_fields[name].annotation)}
                if kinds & {int, float} and bool not in kinds:
                    raise ValueError(f"`{name}` must be a number, not {str(value).lower()}")
        return given


def _kinds(annotation: Any) -> Iterator[Any]:
    """What a value may be, the members of unions one by one."""
    members = get_args(annotation)
    if not members:
        yield annotation
    for member in members:
        yield from _kinds(member)
