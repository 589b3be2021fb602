"""Whole searches in this process, on the quickstart's real model and a judge behind a real server."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from configs.errors import InputError, RunStopped
from configs.loading import load_config, override_config
from configs.schema.run import RunConfig
from evaluators.ledger.queries import read_utilization
from search.export import export
from search.results.status import Status, read_status
from search.run_directory.run import read_config, read_id
from search.running.launch import launch, resume
from search.running.retry import retry_failed
from tests.service_server import Reaction, ServiceServer, no_quota, page, says

pytestmark = pytest.mark.heavy

QUIET = Console(quiet=True)
TINY = [
    *("workers.kind=local", "pool.limit=3", "questions.limit=24", "decoding.max_new_tokens=16", "window=3"),
    "strategy={kind: optuna, trials: 3, max_demonstrations: 1, insert: back, block: 32}",
]


def judged_by(server: ServiceServer, folder: Path, *overrides: str) -> RunConfig:
    (folder / "rubric.txt").write_text("Rate from 1 to 10.\n{question}\n{answer}\n")
    service = f"{{model: m, base_url: {server.base_url}, api_key_variable: null, max_retries: 0, max_in_flight: 4}}"
    judge = f"judge={{kind: rubric, rubric_path: {folder / 'rubric.txt'}, service: {service}, unreadable_retries: 0}}"
    return load_config("quickstart", [*TINY, judge, *overrides])


class Confused:
    """A judge that gives some answers no rating, until it is mended."""

    mended = False

    def __call__(self, request: dict[str, Any]) -> Reaction:
        text = request["messages"][-1]["content"]
        return says("Rating: [[7]]" if self.mended or len(text) % 5 else "No comment.")


def journal(path: Path) -> bytes:
    return (path / "journal.jsonl").read_bytes()


def test_failed_items_are_tried_again_and_nothing_else_and_the_path_stays_what_it_was(tmp_path: Path) -> None:
    confused, path = Confused(), tmp_path / "run"
    with ServiceServer(confused) as server:
        before = launch(judged_by(server, tmp_path, "scoring.max_failed_share=0.9"), path, QUIET)
        told, asked = journal(path), len(server.requests)
        (items,) = before.failures
        assert (items.stage, items.cause, items.count) == ("verdict", "VerdictUnreadable", before.spend.failed)
        assert "No comment." in items.sample
        assert before.base is not None
        assert before.base.search_score is not None
        assert before.base.search_score.failed > 0
        there = read_utilization(path / "ledger.sqlite", read_id(path))
        assert 0 < there.judge_busy <= there.judge_wanted <= before.spend.seconds
        assert 0 < there.workers_busy <= there.workers <= before.spend.seconds
        retry_failed(path, QUIET)
        assert len(server.requests) - asked == before.spend.failed
        assert read_status(path).amended == 0
        confused.mended = True
        after = retry_failed(path, QUIET)
        assert len(server.requests) - asked == 2 * before.spend.failed
        assert (after.state, after.failures, after.spend.failed) == ("finished", (), 0)
        assert after.amended >= before.spend.failed
        assert after.spend.generated == before.spend.generated
        assert after.base is not None
        assert after.base.search_score is not None
        assert (after.base.search_score.failed, after.base.search_score.mean) == (0, 7.0)
        assert json.loads(export(path, "json"))["scores"]["base"]["search_score"]["n_failed"] == 0
        asked = len(server.requests)
        assert retry_failed(path, QUIET) == after  # nothing is to be done, which is no error
        assert len(server.requests) == asked
        assert journal(path) == told
        assert resume(path, QUIET) == after


def test_failed_items_of_a_stopped_search_are_tried_again_and_it_stays_stopped(tmp_path: Path) -> None:
    confused, path = Confused(), tmp_path / "run"
    with ServiceServer(confused) as server:
        config = judged_by(server, tmp_path, "scoring.max_failed_share=0.9", "budget.verdicts=25", "window=1")
        with pytest.raises(RunStopped):
            launch(config, path, QUIET)
        before = read_status(path)
        confused.mended = True
        one_more = override_config(read_config(path), [f"budget.verdicts={before.spend.judged + 1}"])
        with pytest.raises(RunStopped, match="verdicts is spent"):
            retry_failed(path, QUIET, one_more)
        after = retry_failed(path, QUIET, override_config(read_config(path), ["budget.verdicts=null"]))
        assert (after.state, after.reason, after.trials) == ("stopped", before.reason, before.trials)
        assert after.amended > 0
        done = resume(path, QUIET, override_config(read_config(path), ["budget.verdicts=null"]))
    assert done.state == "finished"


def test_a_judge_that_never_gives_a_rating_stops_the_run_with_what_it_said(tmp_path: Path) -> None:
    with ServiceServer(lambda _: says("I would rather not.")) as server:
        with pytest.raises(RunStopped, match="not given a single rating in its first 8 verdicts") as stopped:
            launch(judged_by(server, tmp_path, "questions.limit=60"), tmp_path / "run", QUIET)
        assert "I would rather not." in str(stopped.value)
        assert len(server.requests) <= 24  # nothing beyond the base prompt's, which may all be under way at once


def test_a_judge_whose_module_changes_the_working_directory_leads_no_run_astray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("elsewhere").mkdir()
    Path("leaving.py").write_text(
        f"import os\nos.chdir({str(tmp_path / 'elsewhere')!r})\ndef score(question, answer): return 5.0\n"
    )
    judge = "judge={kind: function, function: 'leaving:score', folder: .}"
    few = ["strategy={kind: random, trials: 1}", "decoding.max_new_tokens=2", "questions.limit=12"]
    config = load_config("quickstart", [judge, "workers.kind=local", *few])
    assert launch(config, Path("run"), QUIET).state == "finished"
    monkeypatch.chdir(tmp_path)
    assert resume(Path("run"), QUIET).state == "finished"
    assert [*(tmp_path / "elsewhere").iterdir()] == []


LIMITS = ["generations=30", "verdicts=20", "judge_calls=20", "judge_tokens=400", "dollars=0.004", "hours=1e-9"]


def finished(server: ServiceServer, folder: Path, path: Path) -> Status:
    return launch(judged_by(server, folder, "judge.service.dollars_per_million_prompt_tokens=10", FREE), path, QUIET)


FREE = "judge.service.dollars_per_million_new_tokens=10"


def test_whatever_limit_stops_a_search_it_ends_as_one_without_limits(tmp_path: Path) -> None:
    path = tmp_path / "limited"
    with ServiceServer() as server:
        whole = finished(server, tmp_path, tmp_path / "whole")
        asked = len(server.requests)
        config = read_config(tmp_path / "whole")
        for number, limit in enumerate(LIMITS):
            limited = override_config(config, [f"budget.{limit}"])
            with pytest.raises(RunStopped, match=rf"budget\.{limit.partition('=')[0]}=\.\.\."):
                launch(limited, path, QUIET) if number == 0 else resume(path, QUIET, limited)
            assert read_status(path).state == "stopped"
        done = resume(path, QUIET, config)
        assert len(server.requests) == 2 * asked
    assert journal(path) == journal(tmp_path / "whole")
    assert done.spend.generated == whole.spend.generated
    assert asdict(done.spend.judge) == pytest.approx(asdict(whole.spend.judge))  # dollars add up in another order
    assert resume(path, QUIET, override_config(config, ["budget.generations=1"])).state == "finished"


SCREENING = (
    "strategy={kind: screening, evaluations: 40, block: 4, max_demonstrations: 2, hints: {likelihood_questions: 3}}"
)
SMALL = ["workers.kind=local", "pool.limit=5", "questions.limit=24", "decoding.max_new_tokens=8", "window=3", SCREENING]


def test_a_search_with_likelihoods_is_resumed_with_those_that_it_began_with(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole", tmp_path / "limited"
    config = load_config("quickstart", SMALL)
    launch(config, whole, QUIET)
    with pytest.raises(RunStopped):
        launch(override_config(config, ["budget.verdicts=25"]), path, QUIET)
    (kept,) = path.glob("likelihood-*")
    written = kept.stat().st_mtime_ns
    assert resume(path, QUIET, config).state == "finished"
    assert journal(path) == journal(whole)
    assert [(file, file.stat().st_mtime_ns) for file in path.glob("likelihood-*")] == [(kept, written)]


def test_likelihoods_without_reference_answers_are_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    with ServiceServer() as server:
        config = judged_by(server, tmp_path, SCREENING, "questions.reference_field=nothing", "model.name=nowhere")
        with pytest.raises(InputError, match=r"likelihood_questions is 3, but no search question has a reference"):
            launch(config, tmp_path / "run", QUIET)
    assert not (tmp_path / "run").exists()


def test_likelihoods_of_a_server_that_cannot_tell_them_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with ServiceServer() as server:
        service = f"{{model: m, base_url: {server.base_url}, api_key_variable: null, max_retries: 0}}"
        model = f"model={{engine: served, server: transformers, context_tokens: 4096, service: {service}}}"
        with pytest.raises(InputError, match=r"cannot score.*leave strategy.hints.likelihood_questions at 0"):
            launch(load_config("quickstart", [*SMALL, model]), tmp_path / "run", QUIET)
        assert not server.requests


def spelling(request: dict[str, Any]) -> Reaction:
    """A server to which each character is a token."""
    tokens = [*request["prompt"], "!"]
    told = {"tokens": tokens, "token_logprobs": [None, *[-1.0] * (len(tokens) - 1)]}
    choice = {"text": "!", "finish_reason": "length", "logprobs": told}
    return page({"choices": [choice], "usage": {"prompt_tokens": len(tokens) - 1, "completion_tokens": 1}})


def test_what_a_service_was_paid_for_likelihoods_is_known_also_where_it_stops_midway(tmp_path: Path) -> None:
    def react(request: dict[str, Any]) -> Reaction:
        return spelling(request) if len(server.requests) < 6 else no_quota()

    with ServiceServer(react) as server:
        prices = "dollars_per_million_prompt_tokens: 1, dollars_per_million_new_tokens: 1, max_in_flight: 1"
        service = f"{{model: m, base_url: {server.base_url}, api_key_variable: null, max_retries: 0, {prices}}}"
        model = f"model={{engine: served, server: openai, context_tokens: 99999, service: {service}}}"
        with pytest.raises(RunStopped):
            launch(load_config("quickstart", [*SMALL, model]), tmp_path / "run", QUIET)
        paid = [request["prompt"] for request in server.requests[:5]]
    spend = read_status(tmp_path / "run").spend
    assert (spend.generated, spend.prompt_tokens, spend.new_tokens) == (0, sum(map(len, paid)), 5)
    assert spend.dollars == pytest.approx((spend.prompt_tokens + 5) / 1e6)
