"""Demonstrations that a search has found, one to three of them: by the paper's procedure and by our own strategy."""

from collections.abc import Iterator

from search.experiments.cell import Cell, Hole
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.found_sets import SearchTask
from search.experiments.search_tasks import search_tasks
from search.experiments.setting import Setting


def _searches(setting: Setting) -> list[SearchTask]:
    return search_tasks(setting, setting.config.greedy.strategies)


def _cells(setting: Setting, found_sets: FoundSets) -> Iterator[Cell | Hole]:
    yield setting.cell({"strategy": "none", "chosen": 0}, setting.base_prompt)
    for named in setting.config.greedy.strategies:
        for size in range(1, named.strategy.max_demonstrations + 1):
            yield setting.found_cell({"strategy": named.name, "chosen": size}, found_sets[named.name], size)


EXPERIMENT = Experiment(
    name="greedy",
    question="What do searched demonstrations add to the base prompt?",
    source="table 4",
    cells=_cells,
    searches=_searches,
)
