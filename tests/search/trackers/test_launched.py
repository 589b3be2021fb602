"""Whole searches with trackers, on the quickstart's real model."""

import logging
from pathlib import Path

import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from configs.errors import RunStopped
from configs.loading import load_config, override_config
from search.run_directory.run import read_config
from search.running.launch import launch, resume

QUIET = Console(quiet=True)
TINY = [
    *("workers.kind=local", "pool.limit=3", "questions.limit=16", "decoding.max_new_tokens=8", "window=3"),
    "strategy={kind: random, trials: 3, max_demonstrations: 1}",
]
TRACKERS = ["trackers.tensorboard={}", "trackers.mlflow.tracking_uri='http://127.0.0.1:9'"]


@pytest.fixture(autouse=True)
def _hasty_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.heavy
def test_a_search_takes_the_same_path_with_trackers_one_of_which_nobody_can_reach(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain, tracked = tmp_path / "plain", tmp_path / "tracked"
    whole = launch(load_config("quickstart", TINY), plain, QUIET)
    with pytest.raises(RunStopped):
        launch(load_config("quickstart", [*TINY, *TRACKERS, "budget.generations=20"]), tracked, QUIET)
    done = resume(tracked, QUIET, override_config(read_config(tracked), ["budget.generations=null"]))
    assert (tracked / "journal.jsonl").read_bytes() == (plain / "journal.jsonl").read_bytes()
    assert (done.state, done.winner) == ("finished", whole.winner)
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [text.partition(":")[0] for text in warned if "tracker" in text] == 2 * ["the tracker mlflow is dropped"]
    events = EventAccumulator(str(tracked / "tensorboard"), {"scalars": 0})
    events.Reload()
    steps = [event.step for event in events.Scalars("search/best_so_far")]
    assert len(steps) == len(set(steps)) == whole.trials
    assert whole.base is not None
    assert whole.base.held_out_score is not None
    assert events.Scalars("base/held_out_score")[-1].value == pytest.approx(whole.base.held_out_score.mean)
    assert events.Scalars("spend/generations")[-1].value == whole.spend.generated
