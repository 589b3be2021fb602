"""A ledger opens whatever a killed process has left of it, and is read where nothing can be written."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from shutil import copyfile, which

import pytest

from configs.errors import InputError
from evaluators.ledger.file import open_to_write
from evaluators.ledger.queries import last_run, read_failures, read_judges, read_spend, read_utilization
from evaluators.ledger.spend import Spend
from evaluators.utilization import Utilization
from tests.evaluators.ledger.test_queries import kept

LEAVE_A_ROLLBACK_JOURNAL = """
import os, sqlite3, sys
ledger = sqlite3.connect(sys.argv[1])
ledger.execute("PRAGMA journal_mode=DELETE")
ledger.execute("PRAGMA cache_size=1")
ledger.execute("BEGIN")
ledger.execute("UPDATE generations SET text = zeroblob(500000)")
os.kill(os.getpid(), 9)
"""
READERS = (last_run, *(lambda path, read=read: read(path, "run") for read in (read_spend, read_judges, read_failures)))


def mounted_read_only(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    return os.getuid() == 0 and which("mount") is not None and subprocess.run(command, check=False).returncode == 0


def test_a_rollback_journal_of_a_killed_process_is_taken_back_by_whoever_reads_first(tmp_path: Path) -> None:
    path = kept(tmp_path / "ledger", [(0, 1), (2, 3)])
    before = read_spend(path, "run")
    killed = subprocess.run([sys.executable, "-c", LEAVE_A_ROLLBACK_JOURNAL, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert Path(f"{path}-journal").exists()
    assert read_spend(path, "run") == before
    open_to_write(path).close()
    assert read_spend(path, "run") == before


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00"[:7]])
def test_a_file_that_was_just_begun_is_an_empty_ledger_or_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(content)
    if content:
        with pytest.raises(InputError, match="cannot be read"):
            read_spend(path, "run")
        with pytest.raises(InputError, match="cannot be opened"):
            open_to_write(path)
    else:
        assert read_spend(path, "run") == Spend()
        assert read_utilization(path, "run") == Utilization()
        open_to_write(path).close()
        assert read_spend(path, "run") == Spend()


def test_what_a_killed_process_of_the_same_number_has_drafted_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    for suffix in ("", "-journal", "-wal", "-shm"):
        (tmp_path / f".ledger.{os.getpid()}{suffix}").write_bytes(b"half")
    open_to_write(path).close()
    assert read_spend(path, "run") == Spend()
    assert not list(tmp_path.glob(".ledger*"))


def test_a_log_without_its_ledger_is_not_put_beside_a_new_one(tmp_path: Path) -> None:
    Path(f"{tmp_path / 'ledger'}-wal").write_bytes(b"rows")
    with pytest.raises(InputError, match=r"ledger-wal, which belongs to it, is there: restore both"):
        open_to_write(tmp_path / "ledger")
    assert Path(f"{tmp_path / 'ledger'}-wal").read_bytes() == b"rows"


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_ledger_that_was_cut_short_is_a_sentence_for_every_reader(tmp_path: Path, share: float) -> None:
    path = kept(tmp_path / "ledger", [(n, n + 1) for n in range(60)])
    os.truncate(path, int(path.stat().st_size * share))
    for read in READERS:
        with pytest.raises(InputError, match=r"cannot be read .*restore it"):
            read(path)


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_ledger_on_read_only_media_is_read_whole_with_or_without_its_log(tmp_path: Path, suffix: str) -> None:
    path = kept(tmp_path / "ledger", [(0, 1), (2, 3)])
    expected = read_spend(path, "run")
    media = tmp_path / "media"
    media.mkdir()
    if not mounted_read_only(media):
        pytest.skip("mounting needs root")
    try:
        with closing(sqlite3.connect(path)) as open_ledger:  # keeps its log
            if suffix:
                open_ledger.execute("UPDATE verdicts SET calls = 5")
                open_ledger.commit()
                expected = read_spend(path, "run")
                assert Path(f"{path}-wal").stat().st_size
            for part in {"", suffix}:
                copyfile(f"{path}{part}", media / f"ledger{part}")
        subprocess.run(["mount", "-o", "remount,ro", str(media)], check=True)
        assert read_spend(media / "ledger", "run") == expected
    finally:
        subprocess.run(["umount", "-l", str(media)], check=True)


def test_a_ledger_that_may_not_be_read_is_to_be_made_readable(tmp_path: Path) -> None:
    path = kept(tmp_path / "ledger", [(0, 1)])
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\): make it readable"):
        read_spend(path, "run")
