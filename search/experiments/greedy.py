"""Demonstrations that a search has found, one to three of them: by the paper's procedure and by our own strategy."""

from collections.abc import Iterator

from configs.schema.data import BasePromptConfig
from configs.schema.run import RunConfig
from search.experiments.cell import Cell, Condition, Hole
from search.experiments.experiment import Experiment, Found
from search.experiments.found_sets import SearchTask
from search.experiments.setting import Setting


def _searches(setting: Setting) -> list[SearchTask]:
    """One for each strategy, guided by `greedy.questions` and judged by `greedy.judge`."""
    config, greedy = setting.config, setting.config.greedy
    first = config.benchmarks[0]
    return [
        SearchTask(
            named.name,
            RunConfig(
                seed=greedy.seed,
                base_prompt=BasePromptConfig(path=config.base_prompt),
                pool=config.pool,
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
        for named in greedy.strategies
    ]


def _cells(setting: Setting, found: Found) -> Iterator[Cell | Hole]:
    yield setting.cell({"strategy": "none", "chosen": 0}, setting.base_prompt)
    for named in setting.config.greedy.strategies:
        by_size = found[named.name].by_size
        for size in range(1, named.strategy.max_demonstrations + 1):
            condition: Condition = {"strategy": named.name, "chosen": size}
            if size in by_size:
                yield setting.cell(condition, setting.prompt(by_size[size]))
            else:
                yield Hole(condition, f"the search has scored no set of {size} on all its questions")


EXPERIMENT = Experiment(
    name="greedy",
    question="What do searched demonstrations add to the base prompt?",
    source="table 4",
    cells=_cells,
    searches=_searches,
)
