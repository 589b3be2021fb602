"""Whole searches whose model and judge are services, both behind one server that misbehaves on demand."""

import base64
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from configs.errors import RunStopped
from configs.loading import load_config
from configs.schema.run import RunConfig
from search.export import Format, export
from search.report.forms import report
from search.running.launch import launch, resume
from search.view.bundle import write_bundle
from tests.service_server import Reaction, ServiceServer, error, rate, rating_of

QUIET = Console(quiet=True)
KEY = "sk-proj-Zk3vQ9tLmX7aBc2dEfGh4jKp"
PRICES = "dollars_per_million_prompt_tokens: 1, dollars_per_million_new_tokens: 1"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", KEY)


def _config(server: ServiceServer, folder: Path, *overrides: str) -> RunConfig:
    (folder / "rubric.txt").write_text("Rate from 1 to 10.\n{question}\n{answer}\n")
    service = f"base_url: {server.base_url}, api_key_variable: THE_KEY, max_retries: 0, max_in_flight: 4, {PRICES}"
    return load_config(
        "quickstart",
        [
            *("workers.kind=local", "pool.limit=3", "questions.limit=24", "decoding.max_new_tokens=16", "window=3"),
            "strategy={kind: random, trials: 3, max_demonstrations: 1, insert: back}",
            f"model={{engine: served, server: openai, context_tokens: 4096, service: {{model: gen, {service}}}}}",
            "model.warm_prefix=false",
            f"judge={{kind: rubric, rubric_path: {folder / 'rubric.txt'}, service: {{model: alias, {service}}}}}",
            *overrides,
        ],
    )


def _as(model: str) -> Callable[[dict[str, Any]], Reaction]:
    """Answers well, and says that it is this model."""

    def answer(request: dict[str, Any]) -> Reaction:
        reaction = rate()
        return Reaction(lambda asked: json.dumps(json.loads(reaction.body(asked)) | {"model": model}).encode())

    return answer


class Changing:
    """A service whose model, or whose judge, is another one from some request on."""

    def __init__(self, path: str, after: int) -> None:
        self.path, self.after, self.seen = path, after, 0

    def __call__(self, request: dict[str, Any]) -> Reaction:
        is_concerned = self.path in request
        self.seen += is_concerned
        return _as("snapshot-2" if is_concerned and self.seen > self.after else "snapshot-1")(request)


@pytest.mark.parametrize(("path", "role"), [("messages", "the judge"), ("prompt", "the model")])
def test_another_model_in_the_middle_of_a_run_stops_it_and_so_does_a_resume_until_the_first_is_back(
    path: str, role: str, tmp_path: Path
) -> None:
    changing = Changing(path, after=30)
    sentence = f"the service of {role} answers as 'snapshot-2' now and answered as 'snapshot-1' before"
    with ServiceServer(changing) as server:
        config = _config(server, tmp_path)
        with pytest.raises(RunStopped, match=sentence):
            launch(config, tmp_path / "run", QUIET)
        with pytest.raises(RunStopped, match=sentence):
            resume(tmp_path / "run", QUIET)
        asked = len(server.requests)
        changing.after = 10**9
        done = resume(tmp_path / "run", QUIET)
        assert done.state == "finished"
    with closing(sqlite3.connect(tmp_path / "run" / "ledger.sqlite")) as ledger:
        for table in ("generations", "verdicts"):
            assert {row[0] for row in ledger.execute(f"SELECT reply_model FROM {table}")} == {"snapshot-1"}
        (beside,) = ledger.execute("SELECT sum(calls) FROM beside").fetchone()
        (failed,) = ledger.execute("SELECT sum(calls) FROM failures").fetchone()
    assert (
        2 <= (beside or 0) + (failed or 0) <= 16
    )  # two stops, of at most 8 under way;  what the other one has said is paid for
    assert done.spend.generated + done.spend.judged + (beside or 0) + (failed or 0) == len(server.requests) > asked


def test_a_refused_key_is_what_is_said_whoever_notices_its_consequences_first(tmp_path: Path) -> None:
    def react(request: dict[str, Any]) -> Reaction:
        return error(401, "invalid_api_key", f"no: {KEY}") if "messages" in request else rate()

    with ServiceServer(react) as server:
        for number in range(3):
            with pytest.raises(RunStopped, match=r"refused the key \(401\): put a valid one into THE_KEY"):
                launch(_config(server, tmp_path), tmp_path / f"run{number}", QUIET)


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_no_byte_of_a_run_holds_a_key_that_a_service_repeats(share: float, tmp_path: Path) -> None:
    shown = [
        KEY,
        f"{KEY[:8]}********{KEY[-4:]}",
        KEY[:16],
        KEY[-16:],
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(f"Bearer {KEY}".encode()).decode(),
        "".join(f"%{ord(character):02x}" for character in KEY),
        " ".join(KEY),
        "\n".join(KEY[at : at + 5] for at in range(0, len(KEY), 5)),
    ]

    def react(request: dict[str, Any]) -> Reaction:
        words = shown[rating_of(request) % len(shown)]
        if share < 1 and rating_of(request) <= 3 and "messages" in request:
            return error(400, None, f"dump: {words} \x1b[31m")
        said = f"I was called with {words}. Rating: [[{rating_of(request)}]]"
        answered = {"message": {"content": said}} if "messages" in request else {"text": said}
        told = {"id": words, "model": "m", "object": words, "choices": [{"finish_reason": "stop", **answered}]}
        return Reaction(lambda _: json.dumps(told).encode())

    path = tmp_path / "run"
    with ServiceServer(react) as server:
        overrides = () if share == 1 else ("scoring.max_failed_share=0.9",)
        launch(_config(server, tmp_path, *overrides), path, QUIET)
    (path / "report.html").write_text(report(path))
    if share == 1:  # what people are given is read from the same files
        (path / "report.md").write_text(report(path, "md"))
        forms: tuple[Format, ...] = ("urial", "json", "messages", "openai", "langchain", "promptfoo")
        for form in forms:
            (path / f"export.{form}").write_text(export(path, form, anyway=True))
        write_bundle(tmp_path, path / "bundle")
    hidden = [KEY[:8], KEY[-8:], KEY[8:20], *(words[10:24] for words in shown[4:])]
    files = [file for file in path.rglob("*") if file.is_file()]
    assert any("bundle" in file.parts for file in files) == (share == 1)
    assert {"ledger.sqlite", "config.json", "journal.jsonl"} <= {file.name for file in files}
    for file in files:
        content = file.read_bytes().lower()
        assert not [piece for piece in hidden if piece.lower().encode() in content], file.name
        letters = re.sub(rb"[^a-z0-9]|\\n", b"", content)
        assert KEY.lower().replace("-", "").encode() not in letters, file.name
