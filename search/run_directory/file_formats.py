"""What readers need of the JSON files in a run directory; a file that lacks it, or has it otherwise, is damaged."""

from typing import Any, Literal

from pydantic import BaseModel


class Succession(BaseModel):
    """The search that another one goes on from under another judge: its id, where it was, and its judge."""

    run: str
    directory: str
    judge: list[tuple[str, float, int, str]]


class ConfigFile(BaseModel):
    run: str
    config: dict[str, Any] = {}
    evaluation: dict[str, Any] = {}
    succeeds: Succession | None = None


class StateFile(BaseModel):
    state: Literal["running", "finished", "stopped"]
    reason: str


class Manifest(BaseModel):
    """What readers need of it; that of an evaluation grows."""

    model: str = ""
    decoding: dict[str, Any] = {}
    decodings: dict[str, dict[str, Any]] = {}
    judge: list[tuple[str, float, int, str]] = []
    versions: dict[str, str] = {}
    contamination: dict[str, int] = {}
    succeeds: Succession | None = None
