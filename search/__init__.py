"""The search: which demonstrations make a base model follow instructions, measured, shown and taken along.

`import demosearch` is the public API. This package has the same names, but loads them when the first of them is asked
for, since a command that only looks needs few of them.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demosearch import *  # noqa: F403

_ALSO_FOLDERS = frozenset({"export", "fetch", "report"})  # public functions that share a name with a folder


class _Package(ModuleType):
    def __getattr__(self, name: str) -> object:
        if name.startswith("_") and name != "__all__":  # what Python's own tools look for is in no module of ours
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        import demosearch  # noqa: PLC0415 -- half a second

        if name == "__all__":
            return demosearch.__all__
        if name in demosearch.__all__:
            return getattr(demosearch, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        # Importing `search.report.forms` sets the attribute `report` to the folder; it stays the function's.
        if not (name in _ALSO_FOLDERS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        import demosearch  # noqa: PLC0415 -- half a second

        return sorted({*vars(self), *demosearch.__all__})


sys.modules[__name__].__class__ = _Package
