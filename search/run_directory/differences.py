"""What two manifests say differently, down to the setting or the file that differs."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from operator import eq
from typing import Any


def differences(name: str, was: Any, now: Any, same: Callable[[Any, Any], bool] = eq) -> Iterator[str]:
    """A line for each part of a setting that differs; a fingerprint is JSON inside of JSON.

    Args:
        same: of a fingerprint the text counts, of which the ledger's keys are made; there 1 is neither 1.0 nor true.
    """
    if same(was, now):
        return
    before, after = _opened(was), _opened(now)
    if before is not was and after is not now:
        same = _same_text
    lines: list[str] = []
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            if key in before and key in after:
                lines += differences(f"{name}, {key}", before[key], after[key], same)
            else:
                lines.append(f"  {name}, {key}: {'is new' if key in after else 'is gone'}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, items in enumerate(zip(before, after, strict=True), start=1):
            lines += differences(name if len(after) == 1 else f"{name}, {number}", *items, same)
    yield from lines or [f"  {name}: was {_shown(was)}, is {_shown(now)}"]


def _opened(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        with suppress(ValueError):
            return json.loads(value)
    return value


def _same_text(was: Any, now: Any) -> bool:
    return json.dumps(was) == json.dumps(now)


def _shown(value: Any) -> str:
    return value if _opened(value) is not value else json.dumps(value)
