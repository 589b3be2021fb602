"""With the real promptfoo, where it is on the path (`npm install --global promptfoo`)."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from search.export import export
from tests.search.export.scored import CHAT, held_out, scored
from tests.service_server import ServiceServer, says

pytestmark = pytest.mark.heavy

PROMPTFOO = shutil.which("promptfoo")


@pytest.mark.skipif(PROMPTFOO is None, reason="promptfoo is not installed")
@pytest.mark.parametrize(("template", "chat"), [("urial_backticks", None), ("urial_v5", None), ("chat", CHAT)])
def test_promptfoo_sends_the_prompts_that_were_scored(template: str, chat: str | None, tmp_path: Path) -> None:
    run = scored(tmp_path, template, chat)
    config = json.loads(export(run.path, "promptfoo"))
    with ServiceServer(lambda _: says("An answer.")) as server:
        config["providers"][0]["config"]["apiBaseUrl"] = server.base_url
        _evaluate(config, tmp_path)
        asked = server.requests
    assert len(asked) == len(held_out())
    assert all(run.knows(request["prompt"], special=request["add_special_tokens"]) for request in asked)
    assert {request["max_tokens"] for request in asked} == {8}
    assert all(request["stop"] == ([] if chat else ["# Query", "# User"]) for request in asked)


def _evaluate(config: object, folder: Path) -> None:
    assert PROMPTFOO is not None
    (folder / "promptfooconfig.json").write_text(json.dumps(config))
    quiet = {f"PROMPTFOO_DISABLE_{what}": "1" for what in ("TELEMETRY", "UPDATE", "REMOTE_GENERATION")}
    home = {"HOME": str(folder), "PROMPTFOO_CONFIG_DIR": str(folder / "promptfoo"), "NO_PROXY": "127.0.0.1"}
    command = [PROMPTFOO, "eval", "-c", "promptfooconfig.json", "--no-cache", "--no-write", "--no-progress-bar"]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | quiet | home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
