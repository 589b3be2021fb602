"""What two manifests say differently, down to the setting or the file that differs."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any


def differences(name: str, was: Any, now: Any) -> Iterator[str]:
    """A line for each part of a setting that differs; a fingerprint is JSON inside of JSON."""
    was, now = _opened(was), _opened(now)
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted({*was, *now}):
            if key in was and key in now:
                yield from differences(f"{name}, {key}", was[key], now[key])
            else:
                yield f"  {name}, {key}: {'is new' if key in now else 'is gone'}"
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, (before, after) in enumerate(zip(was, now, strict=True), start=1):
            yield from differences(name if len(now) == 1 else f"{name}, {number}", before, after)
    elif was != now:
        yield f"  {name}: was {json.dumps(was)}, is {json.dumps(now)}"


def _opened(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        with suppress(ValueError):
            return json.loads(value)
    return value
