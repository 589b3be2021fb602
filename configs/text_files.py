"""Text files and JSON, read so that whatever is wrong with them is one sentence with file and line."""

import json
import stat
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configs.errors import InputError
from configs.public_files import is_public_file


def read_text(path: Path) -> str:
    """A text file, its line ends untouched, without a byte-order mark.

    Raises:
        InputError: it is missing, unreadable, a pipe or a device (which may never end), or not UTF-8.
    """
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise InputError(
                f"{shown_path(path)}: a pipe or a device, not a file; save what it holds and give that file"
            )
        content = path.read_bytes()
        _refuse(path, content, _DISGUISES)
        text = content.decode().lstrip("\ufeff")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        remedy = _where_from(path) if isinstance(error, FileNotFoundError) else "check the path"
        raise InputError(f"{shown_path(path)}: cannot be read ({why(error)}); {remedy}") from None
    if "\0" in text:  # UTF-16 of English is UTF-8 with a zero byte at every other place
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{path}, line {line}: holds a zero byte, so it is not UTF-8 text; save the file as UTF-8")
    return text


_HEAD = 64  # bytes of a file that tell its kind
_PLACEHOLDERS = {
    b"version https://git-lfs.github.com/spec/": "a pointer of Git LFS, not the file; run `git lfs pull`.",
    b"<!doctype html": "a web page, as it comes in the place of a file that is not there; fetch the file itself.",
    b"<html": "a web page, as it comes in the place of a file that is not there; fetch the file itself.",
}
_DISGUISES = {
    b"\x1f\x8b": "compressed with gzip; unpack it (`gunzip`).",
    b"BZh": "compressed with bzip2; unpack it (`bunzip2`).",
    b"\xfd7zXZ": "compressed with xz; unpack it (`unxz`).",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it (`unzstd`).",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; unpack it, or save the sheet as CSV.",
    b"PAR1": "a Parquet file; let its name end in .parquet.",
    b"ARROW1": "an Arrow file; save it as Parquet.",
    b"SQLite format 3\0": "an SQLite database; export the table as JSONL or CSV.",
    b"%PDF-": "a PDF; save its text.",
    **_PLACEHOLDERS,
}


def refuse_placeholder(path: Path) -> None:
    """Raises InputError where something else came in the place of the file when it was fetched, or it is unreadable."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InputError(f"{shown_path(path)}: cannot be read ({why(error)}); check the path") from error
    _refuse(path, head, _PLACEHOLDERS)


def _refuse(path: Path, content: bytes, kinds: Mapping[bytes, str]) -> None:
    """Raises InputError where the content begins as one of these kinds does, which the file's name does not say."""
    start = content[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    for mark, kind in kinds.items():
        if start.startswith(mark) or (mark[:1] == b"<" and start.lower().startswith(mark)):
            raise InputError(f"{shown_path(path)}: {kind}")


def is_file(path: Path) -> bool:
    """Whether there is such a file; no name is too odd to be asked for."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def why_no_file(path: Path) -> str:
    """Why a path is no file's, and what to do."""
    try:
        exists = path.exists()
    except (OSError, ValueError):
        exists = False
    return (
        "a folder, a pipe or a device, not a file; check the path"
        if exists
        else f"there is no such file; {_where_from(path)}"
    )


def _where_from(path: Path) -> str:
    """What to do about a file that is missing."""
    return "`demosearch fetch all` brings it" if is_public_file(path.as_posix()) else "check the path"


def shown_path(path: Path) -> str:
    """A path as a message shows it: never longer than a line or two."""
    text = str(path)
    return text if len(text) <= 200 else f"{text[:100]}...{text[-97:]}"


def why(error: Exception) -> str:
    """What went wrong with a file, in a few words."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class JsonError(ValueError):
    """What is wrong with a JSON text, in a few words.

    Attributes:
        line: from 1; None where it is not known.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        JsonError: it is malformed, nested too deeply, or has a key twice in one object, or a number that is too long.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        problem = f"{error.msg} at column {error.colno}" if error.msg != "Extra data" else error.msg
        raise JsonError(problem, error.lineno) from None
    except RecursionError:
        raise JsonError("nested too deeply") from None
    except JsonError:
        raise
    except ValueError:
        raise JsonError("a number with too many digits") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        key = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise JsonError(f"the key '{key}' occurs twice in one object")
    return fields
