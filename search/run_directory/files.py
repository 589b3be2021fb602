"""JSON and arrays in the run directory: written whole or not at all, and read or refused in one sentence."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from configs.atomic_file import write_whole
from configs.errors import InputError

Floats = NDArray[np.float64]


class Damage(ValueError):
    """What is wrong with a file's content, in words for people."""


_FROM_COPY = "restore the file from a copy"
_CHECKSUM = ',\n "checksum": '


def read_array(path: Path) -> Floats | None:
    """None where nothing has been kept. Raises InputError where the file is damaged."""
    if not path.exists():
        return None
    with refusing_damage(path):
        array: Floats = np.load(path, allow_pickle=False)
    return array


def keep_array(path: Path, array: Floats) -> None:
    """Keep an array: a strategy that is replayed must meet the same numbers to the last bit. Raises RunStopped where
    the disk does not take it."""
    content = BytesIO()
    np.save(content, array, allow_pickle=False)
    write_whole(path, content.getvalue())


def write_json(path: Path, content: Mapping[str, Any], *, with_checksum: bool = False) -> None:
    """Raises RunStopped where the disk does not take it.

    Args:
        with_checksum: of the text before it, as its last entry: for what nobody edits, and nothing else checks.
    """
    text = _without_end(content)
    checksum = f"{_CHECKSUM}{crc32(text.encode())}" if with_checksum else ""
    write_whole(path, f"{text}{checksum}\n}}")


def _without_end(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False).removesuffix("\n}")


def read_json(path: Path, remedy: str = _FROM_COPY) -> dict[str, Any]:
    """The object in the file at `path`, without its checksum; empty where there is no file.

    Args:
        remedy: what to do where the file is damaged.

    Raises:
        InputError: it is damaged, or has another checksum, whichever way its JSON is spelled.
    """
    if not path.exists():
        return {}
    with refusing_damage(path, remedy):
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        if not isinstance(content, dict) or not content:
            raise Damage("it is not a JSON object, or an empty one")
        checksum = content.pop("checksum", None)
        if checksum is not None and not _is_of(checksum, text, content):
            raise Damage("its content is not what was written")
    return content


def _is_of(checksum: object, text: str, content: Mapping[str, Any]) -> bool:
    """Whether a checksum is that of the text, or of this content as it was written, which takes longer to spell."""
    before = text.rpartition(_CHECKSUM)[0]
    return checksum == crc32(before.encode()) or checksum == crc32(_without_end(content).encode())


@contextmanager
def refusing_damage(path: Path, remedy: str = _FROM_COPY) -> Iterator[None]:
    """Raises InputError, which names the file, where what reads its content inside fails."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}): {remedy}") from error
    except KeyError as error:
        raise InputError(f"{path} is damaged ({error} is missing): {remedy}") from error
    except _DAMAGE as error:
        raise InputError(f"{path} is damaged ({_reason(error)}): {remedy}") from error


_DAMAGE = (ValueError, TypeError, AttributeError, IndexError, RecursionError, EOFError, OverflowError)


def _reason(error: Exception) -> str:
    """What is wrong with a file, in words of ours: people need no library's."""
    if isinstance(error, Damage):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1:,} is not UTF-8 text"
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON at line {error.lineno:,}, column {error.colno:,}"
    if isinstance(error, ValidationError):
        place = ".".join(map(str, error.errors()[0]["loc"]))
        lacks = "is missing" if error.errors()[0]["type"] == "missing" else "is not what belongs there"
        return f"{place!r} {lacks}" if place else "its content is not what belongs there"
    return "its content is not what belongs there"


def missing(path: Path) -> InputError:
    """The error for a file that is missing from a run that has begun."""
    return InputError(f"{path} is missing, and the run has begun: restore the file from a copy")


def not_writable(path: Path, error: Exception) -> InputError:
    """The error for a run directory whose disk takes no writes."""
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    remedy = (
        "copy the run to a disk that takes writes"
        if holds_run(path)
        else "choose a --run-dir on a disk that takes writes"
    )
    return InputError(f"{path} cannot be written ({reason}): {remedy}")


def holds_run(path: Path) -> bool:
    """Whether there is a run in `path`, as far as that can be looked at."""
    try:
        return (path / "config.json").is_file()
    except OSError:  # a folder that may not be looked into
        return False
