"""Records of variants: typed, whole, and never taken for another format's."""

import json
from pathlib import Path

import pytest

from configs.errors import InputError
from search.problem.candidate import Candidate
from search.problem.trial import ScoredTrial, Trial
from search.run_directory.variant_records import RESULTS, VariantRecord, read_variant_records, write_variant_records

SCORED = ScoredTrial(
    trial=Trial(Candidate(("1-a", "2-b")), ("q1", "q2", "q3")),
    scores={"q1": 3.0, "q2": 4.5},
    failures={"q3": "JudgeFailed"},
    mean=3.75,
    lengths={"q1": 10, "q2": 12},
    turns={"q1": (2.0, 4.0), "q2": (None, 4.5)},
    keys={"q1": "1" * 43 + ":" + "2" * 43, "q2": "3" * 43 + ":"},
)


def test_records_are_read_as_they_were_written_in_their_order(tmp_path: Path) -> None:
    records = {name: VariantRecord(name, SCORED) for name in ("z", "a")}
    write_variant_records(tmp_path, records.values())
    assert read_variant_records(tmp_path) == records
    assert [*read_variant_records(tmp_path)] == ["z", "a"]


def test_where_there_is_no_file_nothing_is_through(tmp_path: Path) -> None:
    assert read_variant_records(tmp_path) == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"categories": {}, "variants": []}, "before results had a format version: the command that wrote it"),
        ({"results": 3, "variants": []}, "has format 3, this version reads and writes format 2"),
        ({"results": "2", "variants": []}, "has format 2, this"),
        ({"results": 2}, "is damaged"),
        ({"results": 2, "variants": [{"variant": "a", "demonstrations": [], "scores": {"q": "9"}}]}, "is damaged"),
        ({"results": 2, "variants": [{"variant": "a", "demonstrations": [7], "scores": {}}]}, "is damaged"),
    ],
)
def test_another_format_and_a_damaged_one_are_refused_in_a_sentence(
    content: dict[str, object], words: str, tmp_path: Path
) -> None:
    (tmp_path / RESULTS).write_text(json.dumps(content))
    with pytest.raises(InputError, match=words) as caught:
        read_variant_records(tmp_path)
    assert str(tmp_path / RESULTS) in str(caught.value)


def test_a_score_that_is_another_one_than_was_written_is_refused(tmp_path: Path) -> None:
    write_variant_records(tmp_path, [VariantRecord("a", SCORED)])
    changed = (tmp_path / RESULTS).read_text().replace('"q1": 3.0', '"q1": 10')
    for text, words in (
        (changed, "its content is not what was written"),
        (
            json.dumps(json.loads(changed) | {"checksum": None}),
            "its mean is not that of its scores",
        ),  # as before checksums
    ):
        (tmp_path / RESULTS).write_text(text)
        with pytest.raises(InputError, match=words):
            read_variant_records(tmp_path)
