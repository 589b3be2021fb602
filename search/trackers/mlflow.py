"""MLflow: one MLflow run a search, found again by a tag."""

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import mlflow
from mlflow.entities import Experiment, Metric, Param, Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from configs.schema.trackers import MLflowConfig
from search.trackers.tracker import Conclusion, Figures, Point, Tracked, with_now

_TAG = "demosearch.run"
_STEP = "search/answers"  # the step, as a metric: what MLflow has is asked of MLflow
_BATCH = 1000  # metrics a call takes
_PARAMS = 100  # parameters a call takes
_TEXT = 6000  # characters of a parameter's value
_SQLITE = "sqlite:///"
T = TypeVar("T")


class MLflowTracker:
    """Steps are answers; metrics are named as in `search.trackers.figures`; knobs are parameters.

    A user, a password or a token come from the environment, as MLflow wants them (MLFLOW_TRACKING_USERNAME, ...).
    """

    def __init__(self, config: MLflowConfig) -> None:
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._uri = config.tracking_uri or mlflow.get_tracking_uri()
        self._experiment = config.experiment
        self._client: MlflowClient | None = None
        self._run = ""

    def begin(self, tracked: Tracked, last: int) -> int:  # noqa: ARG002 -- MLflow knows better
        """Points that MLflow has are not wanted again, whatever an earlier process has noted of itself."""
        self._client = client = MlflowClient(self._uri)
        experiment = self._experiment_id(client)
        runs = client.search_runs([experiment], f"tags.`{_TAG}` = '{tracked.id}'", max_results=1)
        if runs:
            return self._go_on(client, runs[0])
        run = client.create_run(experiment, run_name=tracked.name, tags={_TAG: tracked.id})
        self._run = run.info.run_id
        for some in _batches([Param(name, value[:_TEXT]) for name, value in tracked.knobs.items()], _PARAMS):
            client.log_batch(self._run, params=some)
        return 0

    def _go_on(self, client: MlflowClient, run: Run) -> int:
        self._run = run.info.run_id
        client.update_run(self._run, status="RUNNING")
        return int(run.data.metrics.get(_STEP, 0))

    def _experiment_id(self, client: MlflowClient) -> str:
        experiment: Experiment | None = client.get_experiment_by_name(self._experiment)
        if experiment is not None:
            return str(experiment.experiment_id)
        try:
            return str(client.create_experiment(self._experiment, _artifact_location(self._uri)))
        except MlflowException:  # another search may have made it meanwhile
            experiment = client.get_experiment_by_name(self._experiment)
            if experiment is None:
                raise
            return str(experiment.experiment_id)

    def note(self, points: Sequence[Point], now: Figures) -> None:
        self._log([(point.step, {**point.figures, _STEP: point.step}) for point in with_now(points, now)])

    def _log(self, points: Sequence[tuple[int, Figures]]) -> None:
        assert self._client is not None
        written = round(time.time() * 1000)
        metrics = [
            Metric(name, float(value), written, step) for step, figures in points for name, value in figures.items()
        ]
        for some in _batches(metrics, _BATCH):
            self._client.log_batch(self._run, metrics=some)

    def conclude(self, conclusion: Conclusion) -> None:
        assert self._client is not None
        self._log([(conclusion.step, conclusion.figures)])
        for name, text in conclusion.files.items():
            self._client.log_text(self._run, text, name)

    def close(self, is_finished: bool) -> None:
        if self._client is not None and self._run:
            self._client.set_terminated(self._run, "FINISHED" if is_finished else "KILLED")


def _artifact_location(uri: str) -> str | None:
    """The place of artifacts: beside a local database, not in whatever directory this process works in."""
    return (
        (Path(uri.removeprefix(_SQLITE)).resolve().parent / "mlartifacts").as_uri() if uri.startswith(_SQLITE) else None
    )


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
