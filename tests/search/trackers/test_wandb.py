"""What Weights & Biases writes offline, read back from its files."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import wandb

from configs.errors import InputError
from configs.schema.trackers import WandbConfig
from search.trackers.tracker import Tracked, Tracker
from search.trackers.wandb import WandbTracker
from tests.kits.tracker_kit import NOW, RESULTS, Read, TrackerKit, conclusion, point
from tests.search.trackers.wandb_records import records

pytestmark = pytest.mark.heavy

KEYS = ("WANDB_API_KEY", "WANDB_MODE", "WANDB_DIR", "NETRC")


def _name(item: Any) -> str:
    return item.key or "/".join(item.nested_key)


class TestWandb(TrackerKit):
    @pytest.fixture(autouse=True)
    def _nobody(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in KEYS:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def make(self) -> Tracker:
        return WandbTracker(WandbConfig(project="searches", offline=True))

    def folders(self, tracked: Tracked) -> list[Path]:
        return sorted(tracked.path.glob(f"wandb/offline-run-*-{tracked.id}*"))  # of one second: -1

    def records(self, tracked: Tracked) -> Iterator[Any]:
        wandb.teardown()  # waits for the process that writes
        for folder in self.folders(tracked):
            yield from records(folder / f"run-{tracked.id}.wandb")

    def read(self, tracked: Tracked) -> Read:
        """What is in the summary alone has step -1."""
        history: dict[str, list[tuple[int, float]]] = defaultdict(list)
        summary: dict[str, list[tuple[int, float]]] = {}
        for record in self.records(tracked):
            for item in record.history.item:
                history[_name(item)].append((record.history.step.num, json.loads(item.value_json)))
            summary |= {_name(item): [(-1, json.loads(item.value_json))] for item in record.summary.update}
        return summary | history

    def texts(self, tracked: Tracked) -> Sequence[str]:
        (folder,) = self.folders(tracked)
        knobs = [item for record in self.records(tracked) for item in record.run.config.update]
        files = [(folder / "files" / name).read_text() for name in ("status.json", "prompt.json")]
        return [*(f"{item.key} {item.nested_key} {item.value_json}" for item in knobs), *files]

    def test_files_are_to_be_uploaded_and_nothing_but_the_searchs(self, tracked: Tracked) -> None:
        tracker = self.make()
        tracker.begin(tracked, 0)
        tracker.conclude(conclusion(0))
        tracker.close(True)
        wanted = {file.path for record in self.records(tracked) for file in record.files.files}
        assert {"status.json", "prompt.json"} <= wanted <= {"status.json", "prompt.json", "requirements.txt"}
        kinds = {record.WhichOneof("record_type") for record in self.records(tracked)}
        assert not kinds & {"stats", "output", "output_raw"}

    def test_every_process_goes_on_with_the_run_of_the_searchs_id_and_name(self, tracked: Tracked) -> None:
        for last in (0, 5):
            tracker = self.make()
            tracker.begin(tracked, last)
            tracker.note([point(last + 5)], NOW)
            tracker.close(False)
        runs = [record.run for record in self.records(tracked) if record.HasField("run")]
        assert {(run.run_id, run.display_name, run.project) for run in runs} == {(tracked.id, "some run", "searches")}
        assert [record.exit.exit_code for record in self.records(tracked) if record.HasField("exit")] == [1, 1]

    def test_results_are_the_summary_not_a_step(self, tracked: Tracked) -> None:
        tracker = self.make()
        tracker.begin(tracked, 0)
        tracker.note([point(5)], NOW)
        tracker.conclude(conclusion(5))
        tracker.close(True)
        read = self.read(tracked)
        assert {step for name in RESULTS for step, _ in read[name]} == {-1}

    def test_nobody_is_asked_for_a_key(self, tracked: Tracked) -> None:
        tracker = WandbTracker(WandbConfig())
        with pytest.raises(InputError, match="WANDB_API_KEY"):
            tracker.begin(tracked, 0)
        tracker.close(False)
