"""What every group of knobs is made of: paths that are anchored, shares, refusal of what is unknown."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
)


class FromCommandLine(str):
    """A value typed after `--set`: its relative paths start at the working directory, not at the YAML file."""

    __slots__ = ()


def _anchored(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, (str, Path)) or info.context is None:
        return value
    base = Path.cwd() if isinstance(value, FromCommandLine) else Path(info.context["folder"])
    return (base / Path(value).expanduser()).resolve()


def _model_name(value: Any, info: ValidationInfo) -> Any:
    folder = _anchored(value, info)
    return str(folder) if isinstance(folder, Path) and folder.is_dir() else value


LocalPath = Annotated[Path, BeforeValidator(_anchored)]


ModelName = Annotated[str, BeforeValidator(_model_name)]


Share = Annotated[float, Field(gt=0, lt=1)]


class Knobs(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
