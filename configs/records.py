"""Rows from files and hubs: JSONL, a JSON list, Parquet, or a Hugging Face data set."""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from configs.errors import InputError
from configs.row import Row, kind_of
from configs.schema.data import RecordsConfig


def read_records(config: RecordsConfig) -> list[Row]:
    """The rows a config asks for: all of them, or its random sample."""
    return sample_rows(read_all_records(config), config)


def read_all_records(config: RecordsConfig) -> list[Row]:
    """The rows before sampling."""
    if config.path is not None and config.hub is None:
        return read_rows(config.path)
    if config.hub is not None and config.path is None:
        return _read_hub(config.hub, config.hub_split, config.hub_revision)
    given = "both `path` and `hub` are given" if config.path is not None else "neither `path` nor `hub` is given"
    raise InputError(f"Rows come from a file or from a hub, but {given}; give exactly one of them.")


def sample_rows(rows: Sequence[Row], config: RecordsConfig) -> list[Row]:
    """`config.limit` rows drawn with `config.sample_seed`, in the order they had."""
    if config.limit is None:
        return list(rows)
    if config.limit > len(rows):
        raise InputError(f"`limit` asks for {config.limit} rows but there are {len(rows)}; lower it or leave it out.")
    chosen = random.Random(config.sample_seed).sample(range(len(rows)), config.limit)  # noqa: S311 - not a secret
    return [rows[index] for index in sorted(chosen)]


def read_rows(path: Path) -> list[Row]:
    """Every row of a file; its ending says how it is written."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: rows are read from {', '.join(_READERS)}; convert the file or fix its ending.")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; check the path.")
    rows = list(reader(path))
    if not rows:
        raise InputError(f"{path}: the file holds no rows; give one that does.")
    return rows


def read_text(path: Path) -> str:
    """A text file, its line ends untouched.

    Raises:
        InputError: it is missing, unreadable or not UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"{path}, line {line}: not UTF-8; save the file as UTF-8.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path.") from None


def _read_jsonl(path: Path) -> Iterator[Row]:
    for number, line in enumerate(read_text(path).removeprefix("\ufeff").split("\n"), start=1):
        if line.strip():
            yield _json_row(line, f"{path}, line {number}")


def _json_row(line: str, place: str) -> Row:
    try:
        return _row(json.loads(line), place)
    except json.JSONDecodeError as error:
        raise InputError(f"{place}: not JSON ({error.msg} at column {error.colno}); fix or delete that line.") from None


def _read_json(path: Path) -> Iterator[Row]:
    try:
        values = json.loads(read_text(path).removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        hint = "rename it to .jsonl" if error.msg == "Extra data" else "fix it"
        raise InputError(f"{path}, line {error.lineno}: not JSON ({error.msg}); {hint}.") from None
    if not isinstance(values, list):
        raise InputError(f"{path}: holds {kind_of(values)} where a list of objects is needed; put the rows in a list.")
    for number, value in enumerate(values, start=1):
        yield _row(value, f"{path}, row {number}")


def _read_parquet(path: Path) -> Iterator[Row]:
    from pyarrow import ArrowException, parquet  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, rarely needed

    try:
        values = parquet.read_table(path).to_pylist()
    except (ArrowException, OSError) as error:
        raise InputError(f"{path}: not a readable Parquet file ({_first_line(error)}); write it again.") from None
    return _numbered(values, str(path))


_READERS: dict[str, Callable[[Path], Iterable[Row]]] = {
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".parquet": _read_parquet,
}


def _read_hub(name: str, split: str, revision: str | None) -> list[Row]:
    from datasets import load_dataset  # noqa: PLC0415 - heavy, and only hub data need it

    try:
        values = load_dataset(name, split=split, revision=revision)
    except Exception as error:  # the library documents none; network, name and format all end here
        raise InputError(
            f"The hub data set '{name}' (split '{split}', revision {revision or 'latest'}) cannot be loaded: "
            f"{_first_line(error)}; check the name and the network, or give a file as `path`."
        ) from None
    return list(_numbered(values, name))


def _numbered(values: Iterable[Any], source: str) -> Iterator[Row]:
    return (_row(value, f"{source}, row {number}") for number, value in enumerate(values, start=1))


def _row(value: Any, place: str) -> Row:
    if not isinstance(value, dict):
        raise InputError(f"{place}: holds {kind_of(value)}, not an object with fields; fix or delete it.")
    return Row(value, place)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
