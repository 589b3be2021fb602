"""TensorBoard's own reader reads back what was tracked."""

from collections.abc import Sequence

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from configs.schema.trackers import TensorBoardConfig
from search.trackers.tensorboard import TensorBoardTracker
from search.trackers.tracker import Tracked, Tracker
from tests.kits.tracker_kit import NOW, Read, TrackerKit, point


def events(tracked: Tracked) -> EventAccumulator:
    accumulator = EventAccumulator(str(tracked.path / "tensorboard"), {"scalars": 0, "tensors": 0})
    accumulator.Reload()
    return accumulator


class TestTensorBoard(TrackerKit):
    def make(self) -> Tracker:
        return TensorBoardTracker(TensorBoardConfig())

    def read(self, tracked: Tracked) -> Read:
        found = events(tracked)
        return {name: [(one.step, one.value) for one in found.Scalars(name)] for name in found.Tags()["scalars"]}

    def texts(self, tracked: Tracked) -> Sequence[str]:
        found = events(tracked)
        tags = found.Tags()["tensors"]
        return [one.tensor_proto.string_val[0].decode() for tag in tags for one in found.Tensors(tag)]

    def test_points_that_a_killed_process_has_left_are_not_there_twice(self, tracked: Tracked) -> None:
        killed = self.make()
        killed.begin(tracked, 0)
        killed.note([point(5), point(10)], NOW)
        later = self.make()
        assert later.begin(tracked, 5) == 5
        later.note([point(10), point(15)], NOW)
        later.close(True)
        assert self.read(tracked)["search/mean"] == [(5, 0.5), (10, 1.0), (15, 1.5)]
