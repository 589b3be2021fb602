"""The strategy of a config. Each is imported only when it is wanted."""

from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name

from configs.errors import InputError
from configs.schema.case import CaseConfig
from configs.schema.strategy import (
    CustomConfig,
    DiverseConfig,
    ExhaustiveGreedyConfig,
    OptunaConfig,
    RandomConfig,
    ScreeningConfig,
    SimilarConfig,
    StrategyConfig,
)
from search.problem.material import Material
from search.problem.space import SearchSpace
from search.run_directory.files import Floats, keep_array, read_array
from search.strategies.complete_finalists import CompleteFinalists
from search.strategies.parts.embedding import Embedding, closeness_of_words, digest_of, embed
from search.strategies.parts.screening_budget import answers_of_groups
from search.strategies.parts.shortlist import MOST_DEMONSTRATIONS, fewer_questions, shortlist
from search.strategies.strategy import Strategy

_WHOLE = ExhaustiveGreedyConfig | RandomConfig | OptunaConfig | SimilarConfig | DiverseConfig
"""Strategies that recommend nothing but what has met all search questions."""
_MODELLED = ScreeningConfig | OptunaConfig | CaseConfig
"""Strategies with a model of every demonstration."""
_STRATEGIES = {
    "exhaustive_greedy": "exhaustive_greedy:ExhaustiveGreedy",
    "racing_greedy": "racing_greedy:RacingGreedy",
    "successive_halving": "successive_halving:SuccessiveHalving",
    "case": "case:CaseSearch",
    "beam": "beam:Beam",
    "local_search": "local_search:LocalSearch",
    "optuna": "optuna.search:OptunaSearch",
    "random": "random:RandomSearch",
}
"""Module and class of each kind that is made of space, config and seed alone."""
_MANY = 10**6  # answers: enough to meet every demonstration of a shortlist


def make_strategy(
    config: StrategyConfig,
    space: SearchSpace,
    seed: int,
    material: Material,
    folder: Path,
    hints: Floats | None = None,
    *,
    has_screening_judge: bool = False,
) -> Strategy:
    """A strategy that knows nothing yet but the texts of `material`, where it wants them.

    Args:
        folder: of the run; keeps the embedding.
        hints: what is known of each of the space's pool beforehand, [N, any], in its order; None where nothing is.
        has_screening_judge: whether trials may be scored by a screening judge.

    Raises:
        InputError: a strategy of the user's own cannot be made.
    """
    part = _part(config, space, seed, material, folder)
    if hints is not None and part is not space:
        hints = hints[_places(part, space)]
    embedding = None
    if isinstance(config, ScreeningConfig | SimilarConfig | DiverseConfig) and config.embedding != "none":
        embedding = _embedding(config.embedding, part, material, folder)
    strategy = strategy_of(config, part, seed, embedding, hints, has_screening_judge=has_screening_judge)
    return with_finalists(config, strategy, space, seed)


def with_finalists(config: StrategyConfig, strategy: Strategy, space: SearchSpace, seed: int) -> Strategy:
    """The strategy of this config, whose finalists meet all search questions; it ends when it is decided, and has the
    base prompt's answers judged again, where the config wants that."""
    if isinstance(config, _WHOLE) and not config.stop_when_decided and not config.drift_checks:
        return strategy
    return CompleteFinalists(strategy, space, seed, config.stop_when_decided, config.drift_checks)


def _part(config: StrategyConfig, space: SearchSpace, seed: int, material: Material, folder: Path) -> SearchSpace:
    """The shortlist of a pool that is too large for a strategy with a model of every demonstration. It is kept in
    `folder`, so that a resumed search meets the same one."""
    if not isinstance(config, _MODELLED) or len(space.pool) <= MOST_DEMONSTRATIONS:
        return space
    if isinstance(config, ScreeningConfig) and config.embedding == "none":
        return shortlist(space, _group_answers(config, space, seed), None, seed)
    texts, asked = _texts(space, material), [question.query for question in material.search]
    path = folder / f"closeness-{digest_of([texts, asked])}.npy"
    closeness = read_array(path)
    if closeness is None:
        closeness = closeness_of_words(texts, asked)
        keep_array(path, closeness)
    return shortlist(space, _group_answers(config, space, seed), closeness, seed)


def _group_answers(config: _MODELLED, space: SearchSpace, seed: int) -> int:
    """How many answers groups of demonstrations are judged by."""
    if isinstance(config, OptunaConfig):
        return int(config.warm_start_share * config.trials * len(space.questions))
    if isinstance(config, CaseConfig):
        return config.evaluations
    answers = _MANY if config.evaluations == "auto" else config.evaluations - len(space.questions)
    return answers_of_groups(config, fewer_questions(space, seed), answers)


def _places(part: SearchSpace, space: SearchSpace) -> list[int]:
    """Positions of a shortlist's demonstrations in the whole pool."""
    number = {name: place for place, name in enumerate(space.pool)}
    return [number[name] for name in part.pool]


def strategy_of(
    config: StrategyConfig,
    space: SearchSpace,
    seed: int,
    embedding: Embedding | None,
    hints: Floats | None = None,
    *,
    has_screening_judge: bool = False,
) -> Strategy:
    """A strategy that knows nothing yet.

    Args:
        embedding: of the space's pool and questions, in their order; for those strategies that look at texts.
        hints, has_screening_judge: as `make_strategy` takes them.

    Raises:
        InputError: a strategy of the user's own cannot be made, or it needs an embedding.
    """
    part, shortlist_embedding, hinted = _at_most(config, space, seed, embedding, hints)
    return _strategy(config, part, seed, shortlist_embedding, hinted, has_screening_judge)


def _strategy(
    config: StrategyConfig,
    space: SearchSpace,
    seed: int,
    embedding: Embedding | None,
    hints: Floats | None,
    has_screening_judge: bool,
) -> Strategy:
    match config:
        case ScreeningConfig():
            from search.strategies.screening import Screening  # noqa: PLC0415

            rows = None if embedding is None else embedding.demonstrations
            return Screening(space, config, seed, rows, hints, has_screening_judge=has_screening_judge)
        case SimilarConfig() | DiverseConfig():
            return _retrieval(config, space, embedding)
        case CustomConfig():
            from search.strategies.custom import CustomStrategy  # noqa: PLC0415

            return CustomStrategy.load(config, space, seed, has_screening_judge=has_screening_judge)
    make: Callable[[SearchSpace, StrategyConfig, int], Strategy] = resolve_name(
        f"search.strategies.{_STRATEGIES[config.kind]}"
    )
    return make(space, config, seed)


def _at_most(
    config: StrategyConfig, space: SearchSpace, seed: int, embedding: Embedding | None, hints: Floats | None
) -> tuple[SearchSpace, Embedding | None, Floats | None]:
    """The same with the shortlist of a pool that is too large for a strategy with a model of every demonstration."""
    if not isinstance(config, _MODELLED) or len(space.pool) <= MOST_DEMONSTRATIONS:
        return space, embedding, hints
    closeness = None if embedding is None else embedding.closeness()
    part = shortlist(space, _group_answers(config, space, seed), closeness, seed)
    places = _places(part, space)
    shortlist_embedding = (
        None if embedding is None else Embedding(embedding.demonstrations[places], embedding.questions)
    )
    return part, shortlist_embedding, None if hints is None else hints[places]


def _retrieval(config: SimilarConfig | DiverseConfig, space: SearchSpace, embedding: Embedding | None) -> Strategy:
    """Raises InputError without an embedding."""
    if embedding is None:
        raise InputError(f"{config.kind} needs an embedding: set strategy.embedding to `hashed` or a model's name")
    from search.strategies.retrieval import Retrieval, likeliest, nearest  # noqa: PLC0415

    pick = nearest if isinstance(config, SimilarConfig) else likeliest
    return Retrieval(space, pick(space, embedding))


def _embedding(kind: str, space: SearchSpace, material: Material, folder: Path) -> Embedding:
    return embed(_texts(space, material), [question.query for question in material.search], kind, folder)


def _texts(space: SearchSpace, material: Material) -> list[str]:
    demonstrations = material.demonstrations
    return ["\n\n".join(demonstrations[name].texts) for name in space.pool]
