"""The strategy of a config. Each is imported only when it is wanted."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

from configs.errors import InputError
from configs.schema import (
    BeamConfig,
    CustomConfig,
    DiverseConfig,
    ExhaustiveGreedyConfig,
    LocalSearchConfig,
    OptunaConfig,
    RacingGreedyConfig,
    RandomConfig,
    ScreeningConfig,
    SearchSpaceConfig,
    SimilarConfig,
    StrategyConfig,
    SuccessiveHalvingConfig,
)
from search.embedding import Embedding, embed
from search.material import Material
from search.space import SearchSpace
from search.strategy import Strategy


def make_strategy(config: StrategyConfig, space: SearchSpace, seed: int, material: Material, folder: Path) -> Strategy:
    """A strategy that knows nothing yet but the texts of `material`, where it wants them.

    Args:
        folder: of the run; keeps the embedding.

    Raises:
        InputError: a strategy of the user's own cannot be made.
    """
    if not isinstance(config, ScreeningConfig | SimilarConfig | DiverseConfig) or config.embedding == "none":
        return strategy_of(config, space, seed, None)
    return strategy_of(config, space, seed, _embedding(config.embedding, space, material, folder))


def strategy_of(config: StrategyConfig, space: SearchSpace, seed: int, embedding: Embedding | None) -> Strategy:
    """A strategy that knows nothing yet.

    Args:
        embedding: of the space's pool and questions, in their order; for those strategies that look at texts.

    Raises:
        InputError: a strategy of the user's own cannot be made, or it needs an embedding.
    """
    match config:
        case ScreeningConfig():
            from search.strategies.screening import Screening  # noqa: PLC0415

            return Screening(space, config, seed, None if embedding is None else embedding.demonstrations)
        case SimilarConfig() | DiverseConfig():
            if embedding is None:
                raise InputError(
                    f"{config.kind} needs an embedding: set strategy.embedding to `hashed` or a model's name"
                )
            return _load(f"search.strategies.{_RETRIEVAL[type(config)]}")(space, embedding)
        case CustomConfig():
            return _load(config.strategy)(space, dict(config.options), seed)
        case ExhaustiveGreedyConfig():
            from search.strategies.exhaustive_greedy import ExhaustiveGreedy  # noqa: PLC0415

            return ExhaustiveGreedy(space, config)
        case _:
            return _load(f"search.strategies.{_SEEDED[type(config)]}")(space, config, seed)


_RETRIEVAL: Mapping[type[SearchSpaceConfig], str] = {SimilarConfig: "similar:Similar", DiverseConfig: "diverse:Diverse"}
_SEEDED: Mapping[type[SearchSpaceConfig], str] = {
    RacingGreedyConfig: "racing_greedy:RacingGreedy",
    SuccessiveHalvingConfig: "successive_halving:SuccessiveHalving",
    BeamConfig: "beam:Beam",
    LocalSearchConfig: "local_search:LocalSearch",
    OptunaConfig: "optuna:OptunaSearch",
    RandomConfig: "random:RandomSearch",
}
"""Those that are made from space, config and seed."""


def _embedding(kind: str, space: SearchSpace, material: Material, folder: Path) -> Embedding:
    known = material.demonstrations
    demonstrations = [f"{known[name].query}\n\n{known[name].answer}" for name in space.pool]
    return embed(demonstrations, [question.query for question in material.guiding], kind, folder)


def _load(place: str) -> Callable[..., Strategy]:
    """The class at `module:Class`. Raises InputError."""
    module, _, name = place.partition(":")
    try:
        found: Callable[..., Strategy] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"the strategy {place!r} cannot be imported ({error}): give `module:Class` of a class that Python finds "
            "from here"
        ) from error
    return found
