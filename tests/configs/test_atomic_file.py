"""A file is replaced whole, or stays as it was."""

from pathlib import Path

import pytest

from configs.atomic_file import replacing, write_whole
from configs.errors import RunStopped


def test_a_file_is_replaced_and_no_draft_stays(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    write_whole(path, "old")
    write_whole(path, "new “text”".encode(), durable=False)
    assert path.read_text(encoding="utf-8") == "new “text”"
    assert [*path.parent.iterdir()] == [path]


def replace_and_fail(path: Path, error: Exception) -> None:
    with replacing(path) as draft:
        draft.write_text("half")
        raise error


@pytest.mark.parametrize("error", [OSError("disk full"), ValueError("no content")])
def test_where_the_new_content_cannot_be_made_the_old_one_stays_and_no_draft(error: Exception, tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")
    with pytest.raises((RunStopped, ValueError)):
        replace_and_fail(path, error)
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_disk_that_takes_no_writes_is_said_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("where a folder should be")
    with pytest.raises(RunStopped, match=r"cannot be written .*: free some disk space, or move the run"):
        write_whole(tmp_path / "file" / "below", "content")
