"""The modules of the four rooms, read and parsed once."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.documents import ROOT

ROOMS = ("search", "evaluators", "workers", "configs")


@dataclass(frozen=True, slots=True)
class Module:
    """One file, by its path from the root of the repository."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.as_posix()


@cache
def modules() -> tuple[Module, ...]:
    """All of them, in the order of their paths."""
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return tuple(Module(path.relative_to(ROOT), text, ast.parse(text)) for path, text in zip(paths, texts, strict=True))
