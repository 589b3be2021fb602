"""The search: which demonstrations make a base model follow instructions, measured, shown and taken along.

`import demosearch` is the public API. This package has the same names, but loads them when the first of them is asked
for, since a command that only looks needs few of them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demosearch import *  # noqa: F403


def __getattr__(name: str) -> object:
    import demosearch  # noqa: PLC0415 -- half a second

    if name in demosearch.__all__:
        return getattr(demosearch, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
