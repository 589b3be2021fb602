"""Uploading by the command, to a server that answers as a hub does."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from search.run_directory.run import read_manifest
from tests.search.export.scored import Scored, scored
from tests.service_server import Reaction, ServiceServer, error, page

pytestmark = pytest.mark.heavy

NAME = "somebody/demonstrations"
TOKEN = "hf_notForAnybodysEyes"


class FakeHub:
    """Takes a data set of small files.

    Attributes:
        endpoint: where it is.
        created: what it was asked to make.
        files: what it was given, by path.
    """

    def __init__(self) -> None:
        self.endpoint = ""
        self.created: list[dict[str, Any]] = []
        self.files: dict[str, str] = {}

    def __call__(self, method: str, path: str, body: bytes) -> Reaction | None:
        where = path.partition("?")[0]
        if where == "/api/repos/create":
            self.created.append(json.loads(body))
            return page({"url": f"{self.endpoint}/datasets/{NAME}", "name": NAME})
        if where == "/api/validate-yaml":
            return page({"errors": [], "warnings": []})
        if where == f"/api/datasets/{NAME}/preupload/main":
            given = json.loads(body)["files"]
            return page(
                {"files": [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in given]}
            )
        if where == f"/api/datasets/{NAME}/commit/main":
            lines = [json.loads(line) for line in body.splitlines()]
            self.files |= {
                line["value"]["path"]: base64.b64decode(line["value"]["content"]).decode()
                for line in lines
                if line["key"] == "file"
            }
            return page(
                {"commitUrl": f"{self.endpoint}/datasets/{NAME}/commit/1", "commitOid": "1", "pullRequestUrl": None}
            )
        return None


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    return scored(tmp_path_factory.mktemp("run"), "urial_backticks")


def push(run: Scored, folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """With no token but the one given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    own = {"HF_HOME": str(folder.parent / "hf"), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "search", "push", str(run.path), str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=kept | own | environment)


def test_what_is_uploaded_is_what_was_written(run: Scored, tmp_path: Path) -> None:
    hub = FakeHub()
    with ServiceServer(pages=hub) as server:
        hub.endpoint = server.base_url.removesuffix("/v1")
        done = push(run, tmp_path / "pushed", "--upload", NAME, HF_ENDPOINT=hub.endpoint, HF_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert hub.files == {file.name: file.read_text() for file in (tmp_path / "pushed").iterdir()}
    assert json.loads(hub.files["manifest.json"])["versions"] == read_manifest(run.path)["versions"]
    (made,) = hub.created
    assert (made["name"], made["organization"], made["type"]) == ("demonstrations", "somebody", "dataset")
    assert made["visibility"] == "private"
    assert f"datasets/{NAME}" in done.stderr
    assert TOKEN not in done.stdout + done.stderr + "".join(hub.files.values())


def test_without_a_token_nothing_is_written_and_it_says_what_to_do(run: Scored, tmp_path: Path) -> None:
    done = push(run, tmp_path / "pushed", "--upload", NAME)
    assert done.returncode == 2
    assert "HF_TOKEN" in done.stderr
    assert not (tmp_path / "pushed").exists()


def test_a_hub_that_refuses_leaves_the_files_and_its_reason(run: Scored, tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    def refuse(method: str, path: str, body: bytes) -> Reaction:
        asked.append(json.loads(body))
        return error(403, message="you may not")

    with ServiceServer(pages=refuse) as server:
        endpoint = server.base_url.removesuffix("/v1")
        done = push(run, tmp_path / "pushed", "--upload", NAME, "--public", HF_ENDPOINT=endpoint, HF_TOKEN=TOKEN)
    assert [one["visibility"] for one in asked] == ["public"]
    assert done.returncode == 2
    assert "but the upload failed (" in done.stderr
    assert "then push again" in done.stderr
    assert (tmp_path / "pushed" / "README.md").exists()
    assert "Traceback" not in done.stderr
