"""Public files into a folder, from a real server on this machine that misbehaves on demand."""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.errors import DemosearchError, InputError, RunStopped
from configs.public_files import PublicFile
from search.fetch.files import Fetched, fetch_files
from tests.search.fetch.file_server import Chunked, Cut, FileServer, Status, Whole

PROMPT, ROWS = (
    b"# Instruction\n" + b"Answer well. " * 50,
    b'[{"instruction": "Greet in French.", "output": "Salut \\u00e0 tous."}]',
)
LINES = b'{"instruction": "Greet in French.", "output": "Salut \xc3\xa0 tous."}\n'
AT, ROWS_AT = "/host/prompts/urial.txt", "/host/pool.json"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


FILE = PublicFile("prompts/urial.txt", "https://host/prompts/urial.txt", len(PROMPT), sha256(PROMPT), "Apache-2.0")
POOL = PublicFile("pool.jsonl", "https://host/pool.json", len(ROWS), sha256(ROWS), "MIT", sha256(LINES))


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({AT: PROMPT, ROWS_AT: ROWS}) as running:
        yield running


def fetch(server: FileServer, folder: Path, *files: PublicFile) -> list[Fetched]:
    return list(fetch_files(files or (FILE,), folder, mirror=server.address, pauses=(0.0, 0.0)))


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_is_written_whole_where_it_belongs_and_nothing_else_is_left(server: FileServer, tmp_path: Path) -> None:
    (fetched,) = fetch(server, tmp_path)
    assert fetched == Fetched(FILE, tmp_path / "prompts" / "urial.txt", was_there=False)
    assert fetched.path.read_bytes() == PROMPT
    assert names(tmp_path) == ["prompts/urial.txt"]


def test_a_list_of_rows_is_written_as_json_lines(server: FileServer, tmp_path: Path) -> None:
    (fetched,) = fetch(server, tmp_path, POOL)
    assert fetched.path.read_bytes() == LINES
    assert [json.loads(line) for line in fetched.path.read_text().splitlines()] == json.loads(ROWS)


def test_a_file_that_is_there_is_not_asked_for_again(server: FileServer, tmp_path: Path) -> None:
    fetch(server, tmp_path, FILE, POOL)
    server.requests.clear()
    assert [fetched.was_there for fetched in fetch(server, tmp_path, FILE, POOL)] == [True, True]
    assert not server.requests


def test_a_file_brought_by_hand_as_it_is_published_is_written_as_presets_read_it(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "pool.jsonl").write_bytes(ROWS)
    fetch(server, tmp_path, POOL)
    assert (tmp_path / "pool.jsonl").read_bytes() == LINES
    assert not server.requests


def test_another_file_in_the_way_is_never_overwritten_and_nothing_is_fetched(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "pool.jsonl").write_text("mine\n")
    with pytest.raises(InputError, match=r"pool\.jsonl differs from the published file: move it away, or .* --to"):
        fetch(server, tmp_path, FILE, POOL)
    assert (tmp_path / "pool.jsonl").read_text() == "mine\n"
    assert names(tmp_path) == ["pool.jsonl"]
    assert not server.requests


def test_a_folder_in_the_way_is_an_error_in_a_sentence(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").mkdir()
    with pytest.raises(InputError, match="is in the way"):
        fetch(server, tmp_path, POOL)


def test_a_download_that_is_cut_goes_on_where_it_was_cut(server: FileServer, tmp_path: Path) -> None:
    server.meets(AT, Cut(100), Cut(57))
    (fetched,) = fetch(server, tmp_path)
    assert fetched.path.read_bytes() == PROMPT
    assert [asked for _, asked in server.requests] == [None, "bytes=100-", "bytes=157-"]


def test_what_came_is_kept_for_the_next_call_where_a_server_cuts_again_and_again(
    server: FileServer, tmp_path: Path
) -> None:
    server.meets(AT, Cut(100), Cut(1), Cut(1))
    with pytest.raises(RunStopped, match=r"cannot be fetched: .*; run the command again to go on from there"):
        fetch(server, tmp_path)
    assert names(tmp_path) == ["prompts/.urial.txt.part"]
    fetch(server, tmp_path)
    assert server.requests[-1] == (AT, "bytes=102-")
    assert names(tmp_path) == ["prompts/urial.txt"]


def test_a_server_that_knows_no_ranges_sends_the_file_from_its_beginning(server: FileServer, tmp_path: Path) -> None:
    server.meets(AT, Cut(100), Whole())
    (fetched,) = fetch(server, tmp_path)
    assert fetched.path.read_bytes() == PROMPT


def test_a_file_whose_length_is_not_said_is_fetched(server: FileServer, tmp_path: Path) -> None:
    server.meets(AT, Chunked())
    (fetched,) = fetch(server, tmp_path)
    assert fetched.path.read_bytes() == PROMPT


@pytest.mark.parametrize("left", [b"something else, from another day", PROMPT[:50], PROMPT, PROMPT + b"more", b""])
def test_whatever_an_earlier_call_has_left_the_file_is_the_published_one(
    server: FileServer, tmp_path: Path, left: bytes
) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / ".urial.txt.part").write_bytes(left)
    (fetched,) = fetch(server, tmp_path)
    assert fetched.path.read_bytes() == PROMPT
    assert names(tmp_path) == ["prompts/urial.txt"]


def test_another_content_is_refused_with_both_checksums_and_leaves_nothing(server: FileServer, tmp_path: Path) -> None:
    server.files[AT] = other = PROMPT.replace(b"well", b"ill.")
    told = rf"its SHA-256 is {sha256(other)}, not {FILE.sha256}\), so nothing was written"
    with pytest.raises(DemosearchError, match=told):
        fetch(server, tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [b"<html>Please log in</html>", PROMPT + b"more"])
def test_a_file_of_another_length_is_refused_at_once_and_leaves_nothing(
    server: FileServer, tmp_path: Path, content: bytes
) -> None:
    server.files[AT] = content
    with pytest.raises(DemosearchError, match=f"sends {len(content)} bytes, but the published file has {FILE.size}"):
        fetch(server, tmp_path)
    assert len(server.requests) == 1
    assert names(tmp_path) == []


def test_a_file_that_does_not_end_is_refused(server: FileServer, tmp_path: Path) -> None:
    server.files[AT] = PROMPT * 3
    server.meets(AT, Chunked())
    with pytest.raises(DemosearchError, match="sends more than the 664 bytes of the published file"):
        fetch(server, tmp_path)
    assert names(tmp_path) == []


def test_a_redirect_is_followed(server: FileServer, tmp_path: Path) -> None:
    server.meets(AT, Status(302, {"Location": f"{server.address}/elsewhere"}))
    server.files["/elsewhere"] = PROMPT
    (fetched,) = fetch(server, tmp_path)
    assert fetched.path.read_bytes() == PROMPT
    assert [path for path, _ in server.requests] == [AT, "/elsewhere"]


def test_redirects_in_a_circle_are_an_error_in_a_sentence(server: FileServer, tmp_path: Path) -> None:
    server.meets(AT, *[Status(302, {"Location": AT})] * 30)
    with pytest.raises(RunStopped, match=r"cannot be fetched: .*redirect"):
        fetch(server, tmp_path)


@pytest.mark.parametrize(("status", "said"), [(404, "404 Not Found"), (403, "403 Forbidden"), (410, "410 Gone")])
def test_a_file_that_is_not_there_is_said_with_its_address_and_asked_for_once(
    server: FileServer, tmp_path: Path, status: int, said: str
) -> None:
    server.meets(AT, Status(status))
    with pytest.raises(RunStopped, match=f"{server.address}{AT} cannot be fetched: the server answers {said}"):
        fetch(server, tmp_path)
    assert len(server.requests) == 1
    assert names(tmp_path) == []


def test_a_busy_server_is_asked_again(server: FileServer, tmp_path: Path) -> None:
    server.meets(AT, Status(503), Status(429))
    (fetched,) = fetch(server, tmp_path)
    assert fetched.path.read_bytes() == PROMPT


def test_files_before_the_one_that_fails_are_there(server: FileServer, tmp_path: Path) -> None:
    del server.files[ROWS_AT]
    with pytest.raises(RunStopped, match="404"):
        fetch(server, tmp_path, FILE, POOL)
    assert names(tmp_path) == ["prompts/urial.txt"]


def test_a_server_that_nobody_reaches_is_said_with_what_to_do(server: FileServer, tmp_path: Path) -> None:
    address = server.address
    server.__exit__(None, None, None)
    with pytest.raises(
        RunStopped, match=r"127\.0\.0\.1 cannot be reached .*: check the connection, or set HTTPS_PROXY"
    ):
        list(fetch_files([FILE], tmp_path, mirror=address, pauses=()))
    assert names(tmp_path) == []


def test_a_proxy_of_the_environment_is_asked(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["http://mirror.example/host/prompts/urial.txt"] = PROMPT
    monkeypatch.setenv("HTTP_PROXY", server.address)
    monkeypatch.setenv("NO_PROXY", "")
    (fetched,) = fetch_files([FILE], tmp_path, mirror="http://mirror.example", pauses=())
    assert fetched.path.read_bytes() == PROMPT


def test_a_proxy_that_cannot_be_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://127.0.0.1")
    with pytest.raises(RunStopped, match="correct HTTPS_PROXY, ALL_PROXY or SSL_CERT_FILE"):
        list(fetch_files([FILE], tmp_path, pauses=()))


def test_a_mirror_that_is_not_an_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--mirror 'disk/mirror' is not an address"):
        list(fetch_files([FILE], tmp_path, mirror="disk/mirror"))
    assert names(tmp_path) == []


def test_a_file_that_another_process_fetches_is_left_to_it(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    with (tmp_path / "prompts" / ".urial.txt.part").open("a+b") as partial:
        fcntl.flock(partial, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="is being fetched by another process"):
            fetch(server, tmp_path)


def test_progress_tells_how_much_of_each_file_has_come(server: FileServer, tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    server.meets(AT, Cut(100))
    files = fetch_files(
        [FILE, POOL],
        tmp_path,
        mirror=server.address,
        advance=lambda file, size: told.append((file.path, size)),
        pauses=[0],
    )
    assert len(list(files)) == 2
    assert told == [(FILE.path, 100), (FILE.path, FILE.size), (POOL.path, POOL.size)]
