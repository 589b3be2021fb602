"""Searches handed over to trackers, and trackers that fail."""

import asyncio
import json
import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

import pytest

from configs.errors import InputError
from configs.loading import load_config, override_config
from search.run_directory.run import read_config, read_id
from search.trackers.figures import read_tracked, without_credentials
from search.trackers.make import refuse_missing_packages
from search.trackers.tracker import Conclusion, Figures, Point, Tracked, Tracker
from search.trackers.tracking import Tracking
from tests.search.report.made_run import small_run

NOW = {"workers/queued": 3.0}
LINES = 7  # of the made run's journal: four trials, two on held-out questions, the end


class Remembering:
    """A tracker whose place is itself."""

    def __init__(self) -> None:
        self.tracked: list[Tracked] = []
        self.points: list[Point] = []
        self.now: list[Figures] = []
        self.conclusions: list[Conclusion] = []
        self.closed: list[bool] = []

    def begin(self, tracked: Tracked, last: int) -> int:
        self.tracked.append(tracked)
        return last

    def note(self, points: Sequence[Point], now: Figures) -> None:
        self.points += points
        self.now.append(now)

    def conclude(self, conclusion: Conclusion) -> None:
        self.conclusions.append(conclusion)

    def close(self, is_finished: bool) -> None:
        self.closed.append(is_finished)

    def steps(self) -> list[int]:
        return [point.step for point in self.points]


class Raising(Remembering):
    """Fails at one thing, with an address in its words."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def _fail(self, where: str) -> None:
        if where == self._where:
            raise ConnectionError("http://me:secret@host/ is gone")

    def begin(self, tracked: Tracked, last: int) -> int:
        self._fail("begin")
        return super().begin(tracked, last)

    def note(self, points: Sequence[Point], now: Figures) -> None:
        self._fail("note")
        super().note(points, now)

    def conclude(self, conclusion: Conclusion) -> None:
        self._fail("conclude")

    def close(self, is_finished: bool) -> None:
        super().close(is_finished)
        self._fail("close")


class Hanging(Remembering):
    """Never comes back from its first call, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def begin(self, tracked: Tracked, last: int) -> int:
        self.let_go.wait()
        return last


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small_run(
        tmp_path_factory.mktemp("runs") / "first", lambda names, question: 4 + len(names) + int(question[1]) / 10
    )
    made.search("a")
    made.search("b", questions=("g1", "g2"))
    made.search("b", questions=("g3", "g4"))
    made.judge_finalists(("a",), ())
    return made.write()


def as_it_was(run: Path, folder: Path, lines: int) -> Path:
    """The run when its journal had only so many lines."""
    path = folder / run.name
    if not path.exists():
        shutil.copytree(run, path)
    journal = (run / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (path / "journal.jsonl").write_bytes(b"".join(journal[: lines + 1]))
    state = "finished" if lines + 1 >= len(journal) else "stopped"
    (path / "state.json").write_text(json.dumps({"state": state, "reason": ""}))
    return path


def track(path: Path, *knobs: str, make: Callable[..., Tracker], patience: float = 60.0) -> None:
    """One process' work on the search, as far as its trackers see it."""
    tracking = Tracking(override_config(read_config(path), knobs), path, 0.01, patience, make)

    async def work() -> None:
        async with tracking.following(lambda: NOW):
            await asyncio.sleep(0)

    asyncio.run(work())
    tracking.end()


TENSORBOARD = "trackers.tensorboard={}"


def test_every_trial_becomes_a_point_and_the_results_come_last(run: Path, tmp_path: Path) -> None:
    tracker = Remembering()
    track(as_it_was(run, tmp_path, LINES), TENSORBOARD, make=lambda _: tracker)
    assert tracker.steps() == [4, 8, 10, 12, 15, 18]
    base, a, b, _, *held_out = (point.figures for point in tracker.points)
    mean = fmean([0.1, 0.2, 0.3, 0.4])
    assert base == pytest.approx(
        {"search/trials": 1, "search/demonstrations": 1, "search/mean": 5 + mean, "search/best_so_far": 5 + mean}
    )
    assert a["search/best_so_far"] == pytest.approx(6 + mean)
    assert [b["search/mean"], b["search/trials"]] == pytest.approx([6.15, 3])
    assert held_out == [{}, {}]
    assert set(map(str, tracker.now)) == {str(NOW)}
    (conclusion,) = tracker.conclusions
    assert (conclusion.is_finished, conclusion.step, tracker.closed) == (True, 18, [True])
    assert conclusion.figures["winner/held_out_score"] == pytest.approx(6.2)
    assert conclusion.figures["winner/held_out_gain"] == pytest.approx(1.0)
    assert conclusion.figures["base/held_out_score_low"] < 5.2 < conclusion.figures["base/held_out_score_high"]
    assert set(conclusion.files) == {"status.json", "prompt.json"}


def test_a_later_process_hands_over_what_is_new_and_results_that_differ(run: Path, tmp_path: Path) -> None:
    tracker = Remembering()
    for lines in (2, 3, LINES, LINES):
        track(as_it_was(run, tmp_path, lines), TENSORBOARD, make=lambda _: tracker)
    assert tracker.steps() == [4, 8, 10, 12, 15, 18]
    assert [one.step for one in tracker.conclusions] == [8, 10, 18]
    assert {one.id for one in tracker.tracked} == {read_id(run)}


def test_another_place_gets_everything(run: Path, tmp_path: Path) -> None:
    tracker = Remembering()
    path = as_it_was(run, tmp_path, LINES)
    for knobs in (TENSORBOARD, f"trackers.tensorboard.directory={tmp_path / 'other'}"):
        track(path, knobs, make=lambda _: tracker)
    assert tracker.steps() == 2 * [4, 8, 10, 12, 15, 18]
    assert len(tracker.conclusions) == 2


@pytest.mark.parametrize("where", ["begin", "note", "conclude", "close"])
def test_a_tracker_that_fails_is_warned_of_once_and_dropped(
    run: Path, tmp_path: Path, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    trackers = [Raising(where), Remembering()]
    waiting = iter(trackers)
    knobs = (TENSORBOARD, "trackers.mlflow={}")
    with caplog.at_level(logging.WARNING):
        track(as_it_was(run, tmp_path, LINES), *knobs, make=lambda _: next(waiting))
    (warned,) = caplog.messages
    assert warned.endswith("is dropped: ConnectionError: http://host/ is gone")
    assert (len(trackers[0].closed), len(trackers[1].conclusions)) == (1, 1)


def test_a_tracker_that_cannot_be_made_is_dropped(run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_: object) -> Tracker:
        raise InputError("set a key")

    track(as_it_was(run, tmp_path, LINES), TENSORBOARD, make=refuse)
    assert caplog.messages == ["the tracker tensorboard is dropped: set a key"]


def test_a_tracker_that_hangs_is_left_behind(run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tracker = Hanging()
    track(as_it_was(run, tmp_path, LINES), TENSORBOARD, make=lambda _: tracker, patience=0.05)
    assert caplog.messages == ["the tracker tensorboard does not answer: what it has not received yet is not sent"]
    tracker.let_go.set()


def test_without_trackers_nothing_is_looked_at(run: Path) -> None:
    tracking = Tracking(read_config(run), run)

    async def work() -> None:
        async with tracking.following(lambda: pytest.fail("looked at")):
            pass

    asyncio.run(work())
    tracking.end()


def test_knobs_are_handed_over_flat_and_without_credentials(run: Path) -> None:
    service = "{model: m, base_url: 'http://me:secret@host/v1'}"
    config = load_config("quickstart", [f"judge={{kind: rubric, rubric_path: r.txt, service: {service}}}"])
    knobs = read_tracked(config, run).knobs
    assert (knobs["judge.service.base_url"], knobs["window"]) == ("http://host/v1", "8")
    assert "budget.dollars" not in knobs
    assert "secret" not in str(knobs)


def test_addresses_lose_their_credentials_and_nothing_else() -> None:
    assert without_credentials("see http://a:b@c/d?e@f and g@h") == "see http://c/d?e@f and g@h"


def test_a_password_in_a_config_is_refused() -> None:
    with pytest.raises(InputError, match="MLFLOW_TRACKING_USERNAME"):
        load_config("quickstart", ["trackers.mlflow.tracking_uri='http://me:secret@host'"])


@pytest.mark.skipif(find_spec("opencensus") is not None, reason="ray[default] is installed")
def test_a_missing_package_is_named_before_anything_is_spent() -> None:
    with pytest.raises(InputError, match=r"pip install 'demosearch\[prometheus\]'.*trackers.prometheus=null"):
        refuse_missing_packages(load_config("quickstart", ["trackers.prometheus={}"]).trackers)
