"""Trackers, made from a config."""

from importlib.util import find_spec

from configs.errors import InputError
from configs.schema.trackers import (
    MLflowConfig,
    PrometheusConfig,
    TensorBoardConfig,
    TrackerConfig,
    TrackersConfig,
    WandbConfig,
)
from search.trackers.tracker import Tracker

_PACKAGES = {"mlflow": "mlflow", "wandb": "wandb", "tensorboard": "tensorboard", "prometheus": "opencensus"}


def refuse_missing_packages(config: TrackersConfig) -> None:
    """Raises InputError where a tracker is wanted whose package is not installed. Loads none of them."""
    for kind in config.wanted:
        if find_spec(_PACKAGES[kind]) is None:
            raise InputError(
                f"trackers.{kind} needs a package that is not installed: `pip install 'demosearch[{kind}]'`, or leave "
                f"it out with `--set trackers.{kind}=null`"
            )


def make_tracker(config: TrackerConfig) -> Tracker:
    """The tracker of a config, not begun. Loads its library, which may take seconds."""
    match config:
        case MLflowConfig():
            from search.trackers.mlflow import MLflowTracker  # noqa: PLC0415 -- mlflow

            return MLflowTracker(config)
        case WandbConfig():
            from search.trackers.wandb import WandbTracker  # noqa: PLC0415 -- wandb

            return WandbTracker(config)
        case TensorBoardConfig():
            from search.trackers.tensorboard import TensorBoardTracker  # noqa: PLC0415 -- tensorboard

            return TensorBoardTracker(config)
        case PrometheusConfig():
            from search.trackers.prometheus import PrometheusTracker  # noqa: PLC0415 -- ray

            return PrometheusTracker()
