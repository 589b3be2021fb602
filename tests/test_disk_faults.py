"""A disk that takes no more of one file of the run directory, as `strace` has it: a sentence, and nothing lost."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from search.results.status import read_status
from tests.service_server import ServiceServer
from tests.test_syscall_kills import cannot_trace, durable_rows, traced, words

pytestmark = [pytest.mark.heavy, pytest.mark.slow, pytest.mark.timeout(7200)]

_UNDER_WAY = 16  # answers that had not been acknowledged when the ledger's log took no more
WRITES = "write,pwrite64,ftruncate,fsync,fdatasync,rename"


class Whole(NamedTuple):
    """The run that nothing befalls."""

    folder: Path
    server: ServiceServer
    journal: bytes
    rows: int


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    if reason := cannot_trace():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("disk")
    with ServiceServer() as server:
        path = folder / "whole"
        assert traced(path, words(path, server, folder), folder / "log") == 0
        yield Whole(folder, server, (path / "journal.jsonl").read_bytes(), len(server.requests))


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EROFS"])
@pytest.mark.parametrize(
    ("file", "first"),
    [
        *(("config.json", 1), ("manifest.json", 1), ("material.json", 1), ("state.json", 1), ("state.json", 4)),
        *(("journal.jsonl", 1), ("journal.jsonl", 6), ("ledger.sqlite-wal", 1), ("ledger.sqlite-wal", 40)),
        *(("ledger.sqlite", 1), ("tally.json", 1), ("live.json", 1)),
    ],
)
def test_a_file_that_the_disk_does_not_take_is_a_sentence_and_once_it_does_the_run_goes_on(
    file: str, first: int, error: str, whole: Whole
) -> None:
    path = whole.folder / f"{file}-{first}-{error}"
    said = whole.folder / f"{path.name}.said"
    command = words(path, whole.server, whole.folder)
    before = len(whole.server.requests)
    inject = f"{WRITES}:error={error}:when={first}+"
    code = traced(path, command, whole.folder / "log", inject, only=file, errors=said)
    _ends_in_a_sentence(code, said)
    has_begun = (path / "config.json").exists()
    durable = durable_rows(path, whole.folder / f"{path.name}.copy") if has_begun else 0
    lost = len(whole.server.requests) - before - durable
    assert lost <= (_UNDER_WAY if file == "ledger.sqlite-wal" else 0), "what was paid for is lost"
    again = ["resume", str(path)] if has_begun else command
    assert traced(path, again, whole.folder / "log", errors=said) == 0, said.read_text()
    assert (path / "journal.jsonl").read_bytes() == whole.journal
    assert len(whole.server.requests) - before == whole.rows + lost
    assert read_status(path).state == "finished"
    shutil.rmtree(path)


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EROFS"])
@pytest.mark.parametrize(
    "command",
    [["report", "-o", "page.html"], ["export", "-o", "prompt.txt"], ["export", "--format", "openai", "-o", "p"]],
)
def test_a_result_that_the_disk_does_not_take_is_a_sentence_and_leaves_nothing_half_written(
    command: list[str], error: str, whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, said = whole.folder / "whole", whole.folder / "said"
    file = whole.folder / "whole" / command[-1]
    full = [command[0], str(path), *command[1:-1], str(file)]
    code = traced(path, full, whole.folder / "log", f"{WRITES}:error={error}", only=command[-1], errors=said)
    _ends_in_a_sentence(code, said)
    assert code != 0
    assert not file.exists() or not file.read_bytes()


def _ends_in_a_sentence(code: int, said: Path) -> None:
    text = said.read_text(errors="replace")
    assert code in {0, 2, 3}, text
    assert "Traceback" not in text, text
    if code:
        assert re.search(r"^demosearch: .{20,}", text, re.MULTILINE), text
