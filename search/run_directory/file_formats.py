"""What readers need of the JSON files in a run directory; a file that lacks it, or has it otherwise, is damaged."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, field_validator

from configs.errors import InputError
from search.run_directory.files import Damage

OWNED = ("config.json", "manifest.json", "material.json", "state.json", "live.json", "tally.json")
"""What only the owner of a run directory writes, as a whole."""


class Succession(BaseModel):
    """The search that another one goes on from under another judge: its id, where it was, and its judge."""

    run: str
    directory: str
    judge: list[tuple[str, float, int, str]]


class Extension(BaseModel):
    """A larger budget under which a search goes on where its strategy had ended.

    Attributes:
        budget: the strategy's, from the beginning: its `evaluations` or `trials`.
        after_end: the search had been brought to its end: held-out questions were scored before it went on.
    """

    budget: int
    after_end: bool


class ConfigFile(BaseModel):
    run: str
    config: dict[str, Any] = {}
    evaluation: dict[str, Any] = {}
    succeeds: Succession | None = None
    extensions: list[Extension] = []


class StateFile(BaseModel):
    state: Literal["running", "finished", "stopped"]
    reason: str
    may_go_on: bool = True


class Manifest(BaseModel):
    """What readers need of it; that of an evaluation grows."""

    model: str = ""
    decoding: dict[str, Any] = {}
    decodings: dict[str, dict[str, Any]] = {}
    judge: list[tuple[str, float, int, str]] = []
    versions: dict[str, str] = {}
    contamination: dict[str, int] = {}
    succeeds: Succession | None = None
    extensions: list[Extension] = []

    @field_validator("versions")
    @classmethod
    def _names_ours(cls, versions: dict[str, str]) -> dict[str, str]:
        if "demosearch" not in versions:
            raise ValueError("lacks demosearch's")
        return versions


def check_version(path: Path, kind: str, version: Any, current: int, remedy: str) -> None:
    """Raises InputError where the file at `path` has another format than this demosearch knows.

    Args:
        kind: of file, in the plural as its version is named: `journals`, `results`.
        version: that it gives; None where it gives none.
        remedy: what to do with a file from before there were versions.
    """
    if version is None:
        raise InputError(f"{path} was written before {kind} had a format version: {remedy}")
    if version != current:
        raise InputError(
            f"{path} has format {version}, this version reads and writes format {current}: use the version that "
            "wrote it"
        )


def check_config_file(content: Mapping[str, Any]) -> None:
    """Raises ValueError where it is that of neither a search nor an evaluation."""
    ConfigFile.model_validate(content)
    if len(content.keys() & {"config", "evaluation"}) != 1:
        raise Damage("it holds the settings of neither a search nor an evaluation")
