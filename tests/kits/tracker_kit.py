"""What every tracker must do that keeps points: subclass `TrackerKit`, give it `make` and `read`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from search.trackers.tracker import Conclusion, Point, Tracked, Tracker

NOW = {"spend/dollars": 0.25, "workers/queued": 3}
RESULTS = {"winner/held_out_score": 7.5, "winner/held_out_gain_low": -0.25}
Read = Mapping[str, Sequence[tuple[int, float]]]


def point(step: int) -> Point:
    return Point(step, {"search/mean": step / 10, "search/trials": step / 5})


def conclusion(step: int, is_finished: bool = True) -> Conclusion:
    return Conclusion(is_finished, step, RESULTS, {"status.json": '{"state": "…"}\n', "prompt.json": "{}\n"})


class TrackerKit(ABC):
    @pytest.fixture
    def tracked(self, tmp_path: Path) -> Tracked:
        return Tracked(uuid4().hex, "some run", tmp_path, {"strategy.kind": "random", "pool.path": "…/pool.jsonl"})

    @abstractmethod
    def make(self) -> Tracker:
        """Of always the same place."""

    @abstractmethod
    def read(self, tracked: Tracked) -> Read:
        """What the place holds of the search: steps and values, in the order written, by figure."""

    @abstractmethod
    def texts(self, tracked: Tracked) -> Sequence[str]:
        """Knobs and files, as the place holds them."""

    def test_every_point_is_there_and_the_last_knows_how_things_stand(self, tracked: Tracked) -> None:
        tracker = self.make()
        assert tracker.begin(tracked, 0) == 0
        tracker.note([point(5), point(10)], NOW)
        tracker.note([], NOW)
        tracker.note([point(15)], NOW)
        tracker.close(False)
        read = self.read(tracked)
        assert read["search/mean"] == [(5, 0.5), (10, 1.0), (15, 1.5)]
        assert read["search/trials"] == [(5, 1.0), (10, 2.0), (15, 3.0)]
        assert read["workers/queued"] == [(10, 3.0), (15, 3.0)]

    def test_a_later_process_goes_on_where_the_earlier_ended(self, tracked: Tracked) -> None:
        for steps in ([5, 10], [15, 20]):
            tracker = self.make()
            assert tracker.begin(tracked, steps[0] - 5) == steps[0] - 5
            tracker.note([point(step) for step in steps], NOW)
            tracker.close(False)
        assert [step for step, _ in self.read(tracked)["search/mean"]] == [5, 10, 15, 20]

    def test_results_and_texts_are_there(self, tracked: Tracked) -> None:
        tracker = self.make()
        tracker.begin(tracked, 0)
        tracker.note([point(5)], NOW)
        tracker.conclude(conclusion(5))
        tracker.close(True)
        read = self.read(tracked)
        assert {name: read[name][-1][1] for name in RESULTS} == RESULTS
        texts = "\n".join(self.texts(tracked))
        for part in ("strategy.kind", "random", '"state": "…"', "…/pool.jsonl"):
            assert part in texts

    def test_what_was_never_begun_can_be_closed(self) -> None:
        self.make().close(False)
