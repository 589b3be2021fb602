"""Searches that experiments ask for, as the config's `greedy` group has them."""

from collections.abc import Iterable

from configs.schema.data import BasePromptConfig
from configs.schema.experiments import NamedStrategy
from configs.schema.run import RunConfig
from configs.schema.strategy import StrategyConfig
from search.experiments.found_sets import SearchTask
from search.experiments.setting import Setting


def optional_search(setting: Setting, name: str, strategy: StrategyConfig | None) -> list[SearchTask]:
    """The search by this strategy; none where there is no strategy."""
    return [] if strategy is None else search_tasks(setting, [NamedStrategy(name=name, strategy=strategy)])


def search_tasks(setting: Setting, strategies: Iterable[NamedStrategy]) -> list[SearchTask]:
    """One for each strategy, guided by `greedy.questions` and judged by `greedy.judge`."""
    config, greedy = setting.config, setting.config.greedy
    first = config.benchmarks[0]
    return [
        SearchTask(
            named.name,
            RunConfig(
                seed=greedy.seed,
                base_prompt=BasePromptConfig(path=config.base_prompt),
                pool=greedy.pool or config.pool,
                questions=greedy.questions or first.questions,
                render=config.render,
                model=config.model,
                decoding=config.decoding,
                judge=greedy.judge or first.judge,
                strategy=named.strategy,
                scoring=greedy.scoring,
                budget=config.budget,
                workers=config.workers,
                window=greedy.window,
            ),
        )
        for named in strategies
    ]
