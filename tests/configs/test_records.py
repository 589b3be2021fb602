import gzip
import json
import lzma
import math
import os
import re
import sys
import types
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyarrow import parquet

from configs.errors import InputError
from configs.records import read_records, read_rows
from configs.row import Row
from configs.schema.data import RecordsConfig
from configs.text_files import read_text

ROWS = [{"query": f"q{number}", "answer": f"a{number}"} for number in range(20)]


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def jsonl(path: Path, rows: list[Any] = ROWS) -> Path:
    return written(path, "".join(json.dumps(row) + "\n" for row in rows))


def test_a_file_reads_the_same_in_all_three_formats(tmp_path: Path) -> None:
    parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "rows.parquet")
    written(tmp_path / "rows.json", json.dumps(ROWS))
    jsonl(tmp_path / "rows.jsonl")
    for ending in ("parquet", "json", "jsonl"):
        assert read_rows(tmp_path / f"rows.{ending}") == ROWS


def test_a_row_knows_its_line_and_blank_lines_count(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path / "rows.jsonl", '\n{"query": "a"}\n\n{"query": "b"}\n'))
    assert [row.place.rpartition(", ")[2] for row in rows] == ["line 2", "line 4"]


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    row = {"query": "one\u2028two", "answer": "\x85"}
    assert read_rows(written(tmp_path / "rows.jsonl", json.dumps(row, ensure_ascii=False))) == [row]


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path) -> None:
    assert read_rows(written(tmp_path / "rows.jsonl", '\ufeff{"query": "a"}')) == [{"query": "a"}]


def test_a_malformed_line_17_is_named_with_its_file_and_fault(tmp_path: Path) -> None:
    lines = [json.dumps(row) for row in ROWS]
    lines[16] = '{"query": "q", answer}'
    with pytest.raises(InputError, match=r"pool\.jsonl, line 17: not JSON \(.*column 16\); fix or delete that line$"):
        read_rows(written(tmp_path / "pool.jsonl", "\n".join(lines)))


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("rows.jsonl", '{"a": 1}\n[1]', r"line 2: holds a list, not an object"),
        ("rows.jsonl", "\n\n", "has no rows"),
        ("rows.json", '{"a": 1}', "holds an object where a list of objects is needed"),
        ("rows.json", '{"a": 1}\n{"a": 2}', r"line 2: not JSON \(Extra data\); rename it to \.jsonl"),
        ("rows.json", '[{"a": 1}, 2]', "row 2: holds a number, not an object"),
        ("rows.json", '[{"a": ', r"line 1: not JSON"),
        ("rows.parquet", "PAR1 not really", "not a readable Parquet file"),
        ("rows.txt", "a,b", r"rows are read from \.jsonl, \.json, \.parquet, \.csv, \.tsv"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_sentence(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        read_rows(written(tmp_path / name, text))
    assert "\n" not in str(caught.value)


def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'{"a": 1}\n{"a": "\xe9"}')
    with pytest.raises(InputError, match="line 2: not UTF-8"):
        read_rows(tmp_path / "rows.jsonl")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.jsonl: there is no such file"):
        read_records(RecordsConfig(path=tmp_path / "nowhere.jsonl"))


@pytest.mark.parametrize(("config", "given"), [({}, "neither"), ({"path": "a.jsonl", "hub": "b"}, "both")])
def test_rows_come_from_exactly_one_place(config: dict[str, Any], given: str) -> None:
    with pytest.raises(InputError, match=f"{given} `path`"):
        read_records(RecordsConfig(**config))


def test_a_sample_is_the_same_for_a_seed_and_keeps_the_order_of_the_file(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "rows.jsonl")
    first, again = (read_records(RecordsConfig(path=path, limit=7, sample_seed=3)) for _ in range(2))
    other = read_records(RecordsConfig(path=path, limit=7, sample_seed=4))
    assert first == again != other
    assert [ROWS.index(row) for row in first] == sorted(ROWS.index(row) for row in first)
    assert len({row.place for row in first}) == 7


def test_a_sample_larger_than_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`limit` asks for 21 rows but there are 20"):
        read_records(RecordsConfig(path=jsonl(tmp_path / "rows.jsonl"), limit=21))


def test_a_hub_data_set_is_asked_for_with_split_and_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def load_dataset(name: str, **options: object) -> list[dict[str, str]]:
        asked.update(options, name=name)
        return ROWS

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    rows = read_records(RecordsConfig(hub="some/set", hub_split="test", hub_revision="abc"))
    assert asked == {"name": "some/set", "split": "test", "revision": "abc"}
    assert rows == ROWS
    assert rows[16].place == "some/set, row 17"


def test_a_hub_that_cannot_be_reached_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_dataset(name: str, **options: object) -> None:
        raise ConnectionError("Couldn't reach the hub.\nmany more lines")

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    with pytest.raises(InputError, match=r"'some/set' .* cannot be loaded: Couldn't reach the hub; check the name"):
        read_records(RecordsConfig(hub="some/set"))


def test_a_missing_field_is_named_with_those_that_exist() -> None:
    with pytest.raises(InputError, match=r"^pool, row 3: there is no field 'query'; name one of: prompt, answer$"):
        Row({"prompt": "a", "answer": "b"}, "pool, row 3").text("query")


@pytest.mark.parametrize(
    ("value", "kind"), [(["a"], "a list"), (3, "a number"), ({}, "an object"), (True, "a truth value")]
)
def test_a_field_with_something_else_than_text_is_refused(value: object, kind: str) -> None:
    with pytest.raises(InputError, match=f"field 'query' holds {kind}, not text"):
        Row({"query": value}, "pool, row 3").text("query")


def test_half_a_character_is_refused_before_anything_is_hashed() -> None:
    with pytest.raises(InputError, match="half a character"):
        Row(json.loads('{"query": "\\ud800"}'), "pool, row 3").text("query")


def test_an_id_may_be_a_number() -> None:
    row = Row({"number": 81, "text": "b", "none": None}, "row 1")
    assert [row.identifier(field) for field in ("number", "text", "none", "missing")] == ["81", "b", None, None]


FAULTY = {
    "digits.jsonl": ('{"id": ' + "1" * 5000 + "}", "line 1: not JSON (a number with too many digits)"),
    "deep.jsonl": ('{"a": "b"}\n{"x": ' + "[" * 100_000, "line 2: not JSON (nested too deeply)"),
    "deep.json": ("[" * 100_000, "not JSON (nested too deeply)"),
    "twice.jsonl": ('{"query": "a", "query": "b"}', "line 1: not JSON (the key 'query' occurs twice in one object)"),
    "inner.json": ('[{"a": {"b": 1, "b": 1}}]', "the key 'b' occurs twice"),
    "header.csv": ("a,b,a\n1,2,3\n", "line 1: two columns are called 'a'"),
    "ragged.csv": ('a,b\n1,2\n"x\ny",2\n1\n', "line 5: has 1 cell where the first line names 2 columns"),
    "quote.csv": ('a,b\n1,"2', "line 2: not a table"),
    "empty.csv": ("a,b\n", "has no rows"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_file_gets_one_sentence_with_its_line(tmp_path: Path, name: str) -> None:
    text, wanted = FAULTY[name]
    with pytest.raises(InputError, match=re.escape(wanted)) as caught:
        read_rows(written(tmp_path / name, text))
    assert name in str(caught.value)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("ending", "parting"), [("csv", ","), ("csv", ";"), ("tsv", "\t")])
def test_a_table_is_read_with_its_quotes_and_line_ends(tmp_path: Path, mark: str, ending: str, parting: str) -> None:
    lines = [f"{mark}id|query|answer", '1|"a\r\nb"|"said ""x"""', "2|c|", ""]
    text = "\r\n".join(lines).replace("|", parting)
    (tmp_path / f"rows.{ending}").write_bytes(text.encode())
    rows = read_rows(tmp_path / f"rows.{ending}")
    assert rows == [{"id": "1", "query": "a\r\nb", "answer": 'said "x"'}, {"id": "2", "query": "c", "answer": None}]
    assert [row.place.rpartition(", ")[2] for row in rows] == ["line 2", "line 4"]


def test_a_field_may_be_inside_another_and_a_whole_name_comes_first() -> None:
    row = Row({"instances": [{"input": "a"}], "x.y": "b", "x": {"y": "c"}}, "here")
    assert row.text("instances[0].input") == "a"
    assert row.text("x.y") == "b"
    assert row.optional_text("instances[1].input") is None
    with pytest.raises(InputError, match=r"no field 'instances\[0\].output'; set `pool.answer_field` to one of: inst"):
        row.text("instances[0].output", "pool.answer_field")


def test_what_pandas_makes_of_ids_and_missing_values_is_understood() -> None:
    row = Row({"id": 81.0, "category": math.nan, "half": 1.5, "yes": True}, "here")
    assert row.identifier("id") == "81"
    assert row.optional_text("category") is None
    for field in ("half", "yes"):
        with pytest.raises(InputError, match="not text"):
            row.identifier(field)


def test_an_id_is_not_a_novel() -> None:
    with pytest.raises(InputError, match="has 5,000 characters"):
        Row({"id": "x" * 5000}, "here").identifier("id")


@pytest.mark.parametrize("name", ["a\0b.jsonl", "x" * 5000 + ".jsonl", "x/" * 3000 + "a.json"])
def test_a_name_that_no_file_can_have_is_a_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="there is no such file") as refused:
        read_rows(tmp_path / name)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("special", ["/dev/zero", "pipe"])
def test_what_may_never_end_is_no_text_file(tmp_path: Path, special: str) -> None:
    path = Path(special)
    if special == "pipe":
        path = tmp_path / special
        os.mkfifo(path)
    with pytest.raises(InputError, match="a pipe or a device, not a file"):
        read_text(path)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_text_with_zero_bytes_is_in_another_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("query,answer\nWhy?,So.\n".encode(encoding))
    with pytest.raises(InputError, match=r"rows\.csv, line 1: holds a zero byte, so it is not UTF-8 text"):
        read_rows(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (gzip.compress(b'{"query": "a"}', mtime=0), "compressed with gzip"),
        (lzma.compress(b'{"query": "a"}'), "compressed with xz"),
        (b"PK\x03\x04\x14\0", "a ZIP archive or a spreadsheet"),
        (b"PAR1\x15\x04", "a Parquet file; let its name end in .parquet"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
        (b"\n<!DOCTYPE html><html>404</html>", "a web page"),
        (b"\xef\xbb\xbf<HTML>", "a web page"),
    ],
)
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv"])
def test_a_file_of_another_kind_than_its_name_says_is_named(
    tmp_path: Path, name: str, content: bytes, what: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{re.escape(name)}: {re.escape(what)}"):
        read_rows(tmp_path / name)


def test_a_field_of_any_length_is_named_in_a_line() -> None:
    with pytest.raises(InputError) as caught:
        Row({"x" * 5000: "a"}, "pool.jsonl, line 1").text("y" * 5000)
    assert len(str(caught.value)) < 300


def test_a_folder_is_told_from_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").mkdir()
    with pytest.raises(InputError, match=r"rows\.jsonl: a folder, a pipe or a device, not a file; check the path"):
        read_rows(tmp_path / "rows.jsonl")


def test_byte_order_marks_are_no_part_of_the_text_however_many_there_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" * 2 + b'{"query": "Why?"}\n')
    assert [dict(row) for row in read_rows(path)] == [{"query": "Why?"}]


def test_a_blank_behind_each_comma_of_the_first_line_belongs_to_no_cell(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('id, query, answer\na, "How, then?", So\n', encoding="utf-8")
    (read,) = read_rows(tmp_path / "rows.csv")
    assert read == {"id": "a", "query": "How, then?", "answer": "So"}


def test_a_comma_and_a_blank_within_a_column_s_name_take_no_blank_from_cells(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('query,"answer, good"\n  a,  b\n', encoding="utf-8")
    (read,) = read_rows(tmp_path / "rows.csv")
    assert read == {"query": "  a", "answer, good": "  b"}
