"""Models of a config, not started; each library is imported where it is chosen."""

from functools import partial
from typing import TYPE_CHECKING

from configs.schema.model import AnyModelConfig, ModelConfig, RewardModelConfig, ServedModelConfig, StartedServerConfig
from configs.schema.workers import WorkersConfig
from workers.text_model import Engine, LoadEngine, RewardEngine, RewardModel, TextModel

if TYPE_CHECKING:
    from workers.local_worker import LocalWorker
    from workers.ray_cluster.workers import RayWorkers


def make_model(config: AnyModelConfig, workers: WorkersConfig) -> TextModel:
    """The model of a config, not started; `workers` are for one that we run ourselves."""
    if isinstance(config, ServedModelConfig):
        from workers.served_model.model import ServedModel  # noqa: PLC0415 -- openai

        return ServedModel(config)
    return _make_workers(partial(load_engine, config), workers)


def make_reward_model(config: RewardModelConfig, workers: WorkersConfig) -> RewardModel:
    """The reward model of a config, not started."""
    return _make_workers(partial(load_reward_engine, config), workers)


def _make_workers(load: LoadEngine, workers: WorkersConfig) -> "LocalWorker | RayWorkers":
    if workers.kind == "local":
        from workers.local_worker import LocalWorker  # noqa: PLC0415 -- chosen by the config

        return LocalWorker(load)
    from workers.ray_cluster.workers import RayWorkers  # noqa: PLC0415 -- ray

    return RayWorkers(load, workers)


def load_engine(config: ModelConfig | StartedServerConfig) -> Engine:
    """Load the model in the process that calls this, or in a server that this process starts."""
    if isinstance(config, StartedServerConfig):
        from workers.started_server.server_engine import ServerEngine  # noqa: PLC0415 -- openai

        return ServerEngine.load(config)
    from workers.engines.transformers_engine import TransformersEngine  # noqa: PLC0415 -- torch

    return TransformersEngine.load(config)


def load_reward_engine(config: RewardModelConfig) -> RewardEngine:
    """Load the reward model in the process that calls this."""
    from workers.engines import reward_engine  # noqa: PLC0415 -- torch

    return reward_engine.TransformersRewardEngine.load(config)
