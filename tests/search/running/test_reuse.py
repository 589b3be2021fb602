from pathlib import Path

import pytest
from rich.console import Console

from configs.loading import load_config
from search.results.status import Status
from search.running.launch import launch
from tests.service_server import ServiceServer

pytestmark = pytest.mark.heavy


def _searched(server: ServiceServer, path: Path, *overrides: str) -> Status:
    rubric = path.parent / "rubric.txt"
    rubric.write_text("Rate from 1 to 10.\n{question}\n{answer}\n")
    service = f"base_url: '{server.base_url}', api_key_variable: null, max_retries: 0"
    settings = [
        *("workers.kind=local", "pool.limit=4", "questions.limit=24", "decoding.max_new_tokens=16", "window=3"),
        "strategy={kind: random, trials: 2, max_demonstrations: 2, insert: back}",
        f"model={{engine: served, server: openai, context_tokens: 4096, service: {{model: gen, {service}}}}}",
        "model.warm_prefix=false",
        f"judge={{kind: rubric, rubric_path: {rubric}, service: {{model: judge, {service}}}}}",
        *overrides,
    ]
    return launch(load_config("quickstart", settings), path, Console(quiet=True))


def test_what_another_run_of_the_folder_has_paid_for_is_taken_over_only_where_that_is_asked_for(tmp_path: Path) -> None:
    with ServiceServer() as server:
        _searched(server, tmp_path / "first")
        paid = len(server.requests)
        again = _searched(server, tmp_path / "second")
        assert len(server.requests) == 2 * paid
        reused = _searched(server, tmp_path / "third", "reuse_folder=true")
        assert len(server.requests) == 2 * paid
    assert again.spend.generated > 0
    assert reused.spend.generated == 0
    assert reused.base == again.base
