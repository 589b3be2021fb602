"""What is said of a run directory's files that cannot be used."""

import errno
import json
from pathlib import Path

import pytest

from configs.errors import InputError
from search.run_directory.files import not_writable, read_json, write_json

READ_ONLY = OSError(errno.EROFS, "Read-only file system")


def test_a_new_run_on_a_disk_that_takes_no_writes_is_told_to_start_elsewhere(tmp_path: Path) -> None:
    assert "choose a --run-dir" in str(not_writable(tmp_path / "new", READ_ONLY))


def test_a_run_that_has_begun_is_told_to_move_since_resume_takes_no_other_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    told = str(not_writable(tmp_path, READ_ONLY))
    assert "Read-only file system" in told
    assert "copy the run to a disk" in told
    assert "--run-dir" not in told


def test_a_path_that_cannot_be_looked_at_is_told_as_a_new_run(tmp_path: Path) -> None:
    assert "choose a --run-dir" in str(not_writable(tmp_path / ("x" * 300), READ_ONLY))


def test_a_checksum_is_that_of_the_content_however_an_editor_has_spelled_it(tmp_path: Path) -> None:
    path, content = tmp_path / "material.json", {"rules": "Be böse.", "pool": [{"id": "a", "score": 1.5}]}
    write_json(path, content, with_checksum=True)
    written = json.loads(path.read_text())
    for text in (path.read_text(), path.read_text() + "\n", json.dumps(written), json.dumps(written, indent=4)):
        path.write_text(text)
        assert read_json(path) == content
        path.write_text(text.replace("1.5", "2.5"))
        with pytest.raises(InputError, match=r"material.json is damaged .its content is not what was written"):
            read_json(path)
