"""Rows from files and hubs: JSONL, a JSON list, CSV, TSV, Parquet, or a Hugging Face data set."""

import csv
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from configs.errors import InputError, reason_of
from configs.plural import show_many
from configs.row import Row, kind_of
from configs.schema.data import RecordsConfig
from configs.text_files import JsonError, is_file, parse_json, read_text, shown_path, why_no_file

_LONGEST_CELL = 2**31 - 1  # characters; Python's own limit is 131,072


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
    raise InputError(f"rows come from a file or from a hub, but {given}; give exactly one of them")


def sample_rows(rows: Sequence[Row], config: RecordsConfig) -> list[Row]:
    """`config.limit` rows drawn with `config.sample_seed`, in the order they had."""
    if config.limit is None:
        return list(rows)
    if config.limit > len(rows):
        raise InputError(
            f"`limit` asks for {show_many(config.limit, 'row')} but there {'is' if len(rows) == 1 else 'are'} "
            f"{len(rows):,}; lower it or leave it out"
        )
    chosen = random.Random(config.sample_seed).sample(range(len(rows)), config.limit)  # noqa: S311 - not a secret
    return [rows[index] for index in sorted(chosen)]


def read_rows(path: Path) -> list[Row]:
    """Every row of a file; its ending says how it is written."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        endings = ", ".join(_READERS)
        raise InputError(f"{shown_path(path)}: rows are read from {endings}; convert the file or fix its ending")
    if not is_file(path):
        raise InputError(f"{shown_path(path)}: {why_no_file(path)}")
    rows = list(reader(path))
    if not rows:
        raise InputError(f"{path}: the file has no rows; use another file")
    return rows


def _read_jsonl(path: Path) -> Iterator[Row]:
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield _json_row(line, f"{path}, line {number}")


def _json_row(line: str, place: str) -> Row:
    try:
        return _row(parse_json(line), place)
    except JsonError as error:
        raise InputError(f"{place}: not JSON ({error}); fix or delete that line") from None


def _read_json(path: Path) -> Iterator[Row]:
    try:
        values = parse_json(read_text(path))
    except JsonError as error:
        hint = "rename it to .jsonl" if str(error) == "Extra data" else "fix it"
        raise InputError(f"{_at_line(path, error)}: not JSON ({error}); {hint}") from None
    if not isinstance(values, list):
        raise InputError(f"{path}: holds {kind_of(values)} where a list of objects is needed; put the rows in a list")
    for number, value in enumerate(values, start=1):
        yield _row(value, f"{path}, row {number}")


def _at_line(path: Path, error: JsonError) -> str:
    return str(path) if error.line is None else f"{path}, line {error.line}"


def _read_csv(path: Path) -> Iterator[Row]:
    """Rows of a table whose first line names the columns; an empty cell is null."""
    text = read_text(path)
    csv.field_size_limit(_LONGEST_CELL)
    delimiter = _delimiter(path, text)
    spaced = _is_spaced(text, delimiter)
    lines = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=spaced)
    names: list[str] | None = None
    start = 1
    try:
        for cells in lines:
            place, start = f"{path}, line {start}", lines.line_num + 1
            if names is None:
                names = _column_names(cells, place)
            elif any(cells):
                if len(cells) != len(names):
                    raise InputError(
                        f"{place}: has {show_many(len(cells), 'cell')} where the first line names "
                        f"{show_many(len(names), 'column')}"
                    )
                yield Row({name: cell or None for name, cell in zip(names, cells, strict=True)}, place)
    except csv.Error as error:
        raise InputError(f"{path}, line {start}: not a table ({error}); fix that line") from None


def _is_spaced(text: str, delimiter: str) -> bool:
    """Whether a blank follows each delimiter of the first line (`id, query, answer`): then it belongs to no cell."""
    try:
        names = next(csv.reader(text.splitlines()[:1], delimiter=delimiter), [])
    except csv.Error:  # reading the table will tell
        return False
    return len(names) > 1 and all(name.startswith(" ") for name in names[1:])


def _delimiter(path: Path, text: str) -> str:
    """A tab in .tsv files, else whatever parts the names of the columns."""
    header = text.partition("\n")[0]
    return "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=header.count)


def _column_names(cells: Sequence[str], place: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    repeated = [name for at, name in enumerate(names) if name in names[:at]]
    if repeated:
        raise InputError(f"{place}: two columns are called '{repeated[0]}'; rename one")
    return names


def _read_parquet(path: Path) -> Iterator[Row]:
    from pyarrow import parquet  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, rarely needed

    try:
        values = parquet.read_table(path).to_pylist()
    except Exception as error:  # a damaged file may raise anything that Arrow and Python have
        raise InputError(f"{path}: not a readable Parquet file ({reason_of(error)}); write it again") from None
    return _numbered(values, str(path))


_READERS: dict[str, Callable[[Path], Iterable[Row]]] = {
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".tsv": _read_csv,
}


def _read_hub(name: str, split: str, revision: str | None) -> list[Row]:
    from datasets import load_dataset  # noqa: PLC0415 - heavy, and only hub data need it

    try:
        values = load_dataset(name, split=split, revision=revision)
    except Exception as error:  # the library documents none; network, name and format all end here
        raise InputError(
            f"the hub data set '{name}' (split '{split}', revision {revision or 'latest'}) cannot be loaded: "
            f"{reason_of(error)}; check the name and the network, or give a file as `path`"
        ) from None
    return list(_numbered(values, name))


def _numbered(values: Iterable[Any], source: str) -> Iterator[Row]:
    return (_row(value, f"{source}, row {number}") for number, value in enumerate(values, start=1))


def _row(value: Any, place: str) -> Row:
    if not isinstance(value, dict):
        raise InputError(f"{place}: holds {kind_of(value)}, not an object with fields; fix or delete it")
    return Row(value, place)
