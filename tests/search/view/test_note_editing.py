"""Tags and notes changed over HTTP: by whom, how, and what is refused."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from search.run_directory.notes import Notes, change_notes, read_notes
from search.view.server import make_app
from tests.search.view.folder import made_folder, made_search

HERE = "http://127.0.0.1:8765"
BEFORE = Notes(("kept",), "as it was")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs, and beside the folder another run that is not in it."""
    above = tmp_path_factory.mktemp("above")
    made_search(above / "outside", "a")
    return made_folder(above / "runs")


@pytest.fixture
def run(folder: Path) -> Path:
    run = folder / "below" / "second"
    (run / "notes.json").unlink(missing_ok=True)
    change_notes(run, BEFORE.tags, note=BEFORE.note)
    return run


@pytest.fixture
def client(folder: Path) -> TestClient:
    """A browser that has opened the address with the token."""
    client = TestClient(make_app(folder, "secret", editing=True), base_url=HERE, headers={"Origin": HERE})
    assert client.get("/?token=secret").status_code == 200
    return client


def test_a_page_adds_and_removes_tags_and_replaces_the_note_as_the_command_does(client: TestClient, run: Path) -> None:
    reply = client.post("/notes/below/second", json={"add": ["new "], "remove": ["kept"], "note": "one\ntwo"})
    assert reply.json() == {"tags": ["new"], "note": "one\ntwo"}
    assert read_notes(run) == Notes(("new",), "one\ntwo")
    assert client.post("/notes/below/second", json={}).json()["note"] == "one\ntwo"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1:9000", "Referer": f"{HERE}/run/first"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://["},
        {"Referer": "http://127.0.0.1:9000/run/first"},
        {"Origin": HERE, "Sec-Fetch-Site": "same-site"},
        {},
    ],
)
def test_a_page_from_elsewhere_changes_nothing(client: TestClient, run: Path, headers: dict[str, str]) -> None:
    del client.headers["Origin"]
    assert client.post("/notes/below/second", json={"add": ["new"]}, headers=headers).status_code == 403
    assert read_notes(run) == BEFORE


def test_a_browser_that_names_its_page_instead_of_the_origin_is_believed(client: TestClient, run: Path) -> None:
    del client.headers["Origin"]
    headers = {"Referer": f"{HERE}/run/below/second", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/notes/below/second", json={"add": ["new"]}, headers=headers).status_code == 200
    assert read_notes(run).tags == ("kept", "new")


@pytest.mark.parametrize("token", ["", "?token=wrong", "?token=secret"])
def test_who_has_not_opened_the_address_changes_nothing(folder: Path, run: Path, token: str) -> None:
    client = TestClient(make_app(folder, "secret", editing=True), base_url=HERE, headers={"Origin": HERE})
    assert client.post(f"/notes/below/second{token}", json={"add": ["new"]}).status_code == 403
    assert read_notes(run) == BEFORE


@pytest.mark.parametrize(("token", "editing"), [("secret", False), ("", True)])
def test_nothing_is_changed_unless_editing_was_asked_for_with_a_token(
    folder: Path, run: Path, token: str, editing: bool
) -> None:
    client = TestClient(make_app(folder, token, editing=editing), base_url=HERE, headers={"Origin": HERE})
    client.get("/?token=secret")
    assert client.post("/notes/below/second", json={"add": ["new"]}).status_code == 405
    assert read_notes(run) == BEFORE
    assert 'id="edit"' not in client.get("/run/first").text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"add": ["a,b"]}', 409),
        ('{"add": [""]}', 409),
        ('{"add": "word"}', 400),
        ('{"tags": ["a"]}', 400),
        ('{"note": "\\ud800"}', 400),
        ("[]", 400),
        ("", 400),
        ('{"note": "' + "x" * 70_000 + '"}', 413),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_sentence(client: TestClient, run: Path, body: str, code: int) -> None:
    reply = client.post("/notes/below/second", content=body)
    assert reply.status_code == code
    assert reply.json()["error"]
    assert read_notes(run) == BEFORE


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nobody", 409),
        ("", 409),
        ("below", 409),
        ("%2e%2e/outside", 409),
        ("..%2foutside", 409),
        ("below%2f..%2f..%2foutside", 409),
        ("below/%2e%2e/first", 409),
    ],
)
def test_only_a_run_of_the_folder_is_written_on(client: TestClient, folder: Path, name: str, code: int) -> None:
    reply = client.post(f"/notes/{name}", json={"add": ["new"]})
    assert (reply.status_code, reply.json()["error"][:16]) == (code, "there is no run ")
    for run in (folder.parent / "outside", folder / "first"):
        assert not (run / "notes.json").exists()


def test_a_refused_edit_says_why_in_json(client: TestClient, run: Path) -> None:
    del client.headers["Origin"]
    refused = client.post("/notes/below/second", json={"add": ["new"]})
    assert (refused.status_code, refused.json()) == (403, {"error": "Only the pages of this view may edit."})
    assert read_notes(run) == BEFORE


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_no_other_method_is_answered(client: TestClient, method: str) -> None:
    assert client.request(method, "/notes/first").status_code == 405
    assert client.post("/run/first").status_code == 405
