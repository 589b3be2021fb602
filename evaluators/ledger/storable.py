"""Values as SQLite can keep them: what a service claims may be larger, or worse spelled, than any file takes."""

import math
from dataclasses import astuple
from typing import Any

from workers.usage import Usage

MOST = 2**53 - 1
"""The largest count that is kept: the largest integer up to which JSON and floating point are exact."""


def storable(value: Any) -> Any:
    """The value itself where it can be kept, and what comes nearest where not.

    A lone surrogate, which a service's JSON may hold, becomes a question mark; a count is cut to the range from 0 to
    `MOST`; a sum of money that is no number is not known.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return max(0, min(value, MOST))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def storable_usage(usage: Usage) -> Usage:
    """The usage with every number as it is kept."""
    return Usage(*map(storable, astuple(usage)))
