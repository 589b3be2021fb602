"""MLflow's own client reads back what was tracked, from a real database."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from configs.schema.trackers import MLflowConfig
from search.trackers.mlflow import MLflowTracker
from search.trackers.tracker import Tracked, Tracker
from tests.kits.tracker_kit import NOW, Read, TrackerKit, conclusion, point

pytestmark = pytest.mark.heavy


class TestMLflow(TrackerKit):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _database(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        cls.uri = f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"

    uri = ""

    def make(self) -> Tracker:
        return MLflowTracker(MLflowConfig(experiment="searches", tracking_uri=self.uri))

    def run(self, tracked: Tracked) -> Run:
        client = MlflowClient(self.uri)
        experiment = client.get_experiment_by_name("searches")
        assert experiment is not None
        (found,) = client.search_runs([experiment.experiment_id], f"tags.`demosearch.run` = '{tracked.id}'")
        return found

    def read(self, tracked: Tracked) -> Read:
        client, run = MlflowClient(self.uri), self.run(tracked)
        histories = {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
        return {
            name: [(one.step, one.value) for one in sorted(history, key=lambda one: one.step)]
            for name, history in histories.items()
        }

    def texts(self, tracked: Tracked) -> Sequence[str]:
        client, run = MlflowClient(self.uri), self.run(tracked)
        files = [Path(client.download_artifacts(run.info.run_id, name)) for name in ("status.json", "prompt.json")]
        return [str(run.data.params), *(file.read_text() for file in files)]

    def test_points_that_a_killed_process_has_left_are_not_wanted_again(self, tracked: Tracked) -> None:
        killed = self.make()
        killed.begin(tracked, 0)
        killed.note([point(5), point(10)], NOW)
        assert self.make().begin(tracked, 5) == 10

    def test_a_run_bears_the_searchs_name_and_says_how_it_ended(self, tracked: Tracked) -> None:
        states = []
        for is_finished in (False, True):
            tracker = self.make()
            tracker.begin(tracked, 0)
            states.append(self.run(tracked).info.status)
            tracker.conclude(conclusion(5, is_finished))
            tracker.close(is_finished)
            states.append(self.run(tracked).info.status)
        assert states == ["RUNNING", "KILLED", "RUNNING", "FINISHED"]
        assert self.run(tracked).info.run_name == "some run"

    def test_artifacts_stand_beside_a_local_database(self, tracked: Tracked) -> None:
        self.make().begin(tracked, 0)
        folder = Path(self.uri.removeprefix("sqlite:///")).parent
        assert self.run(tracked).info.artifact_uri.startswith((folder / "mlartifacts").as_uri())
