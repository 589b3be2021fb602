"""Experiment trackers that follow a run."""

from typing import Annotated, Self

from pydantic import (
    Field,
    model_validator,
)

from configs.schema.knobs import Knobs, LocalPath


class MLflowConfig(Knobs):
    """A run in MLflow (needs `demosearch[mlflow]`)."""

    experiment: Annotated[str, Field(min_length=1)] = "demosearch"
    """Name of the MLflow experiment; made where there is none."""
    tracking_uri: str | None = None
    """Address at which MLflow keeps its runs, such as `http://host:5000` or `sqlite:////home/me/mlflow.db`;
    MLFLOW_TRACKING_URI, or MLflow's own default, when absent. Never with a password: that belongs in
    MLFLOW_TRACKING_PASSWORD."""

    @model_validator(mode="after")
    def _no_password(self) -> Self:
        if self.tracking_uri is not None and "@" in self.tracking_uri:
            raise ValueError("tracking_uri holds a user or a password: set MLFLOW_TRACKING_USERNAME and _PASSWORD")
        return self


class WandbConfig(Knobs):
    """A run in Weights & Biases (needs `demosearch[wandb]`, and WANDB_API_KEY or `wandb login`)."""

    project: Annotated[str, Field(min_length=1)] = "demosearch"
    """Name of the project; made where there is none."""
    entity: str | None = None
    """User or team it belongs to; the key's own when absent."""
    offline: bool = False
    """Write into the run directory's `wandb` only, for `wandb sync`; no key, no network."""


class TensorBoardConfig(Knobs):
    """Event files for TensorBoard (needs `demosearch[tensorboard]`)."""

    directory: LocalPath | None = None
    """Folder for this run's event files; `tensorboard` in the run directory when absent, so that `tensorboard --logdir
    runs` shows all runs side by side."""


class PrometheusConfig(Knobs):
    """Gauges among Ray's own metrics, for Prometheus to fetch (needs `demosearch[prometheus]` and Ray workers)."""


TrackerConfig = MLflowConfig | WandbConfig | TensorBoardConfig | PrometheusConfig


class TrackersConfig(Knobs):
    """Trackers of a search's figures while it runs. No part of its identity; a tracker that cannot be reached is warned
    of and left out, never a reason to stop, nor to wait for more than 20 seconds at the end."""

    mlflow: MLflowConfig | None = None
    """MLflow: `{}` for a run where MLflow keeps its runs anyway."""
    wandb: WandbConfig | None = None
    """Weights & Biases: `{offline: true}` for a folder instead of a service."""
    tensorboard: TensorBoardConfig | None = None
    """TensorBoard: `{}` for event files in the run directory."""
    prometheus: PrometheusConfig | None = None
    """Prometheus: `{}` for gauges among those of Ray."""

    @property
    def wanted(self) -> dict[str, TrackerConfig]:
        """The trackers that are given, by kind."""
        return {name: config for name, config in self if config is not None}
