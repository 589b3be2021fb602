"""Demonstrations that a search has found, one to three of them: by the paper's procedure and by our own strategy."""

from collections.abc import Iterator
from dataclasses import replace

from search.experiments.cell import Cell, Condition, Hole
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.found_sets import SearchTask
from search.experiments.search_tasks import search_tasks
from search.experiments.setting import Setting


def _searches(setting: Setting) -> list[SearchTask]:
    return search_tasks(setting, setting.config.greedy.strategies)


def _cells(setting: Setting, found_sets: FoundSets) -> Iterator[Cell | Hole]:
    yield setting.cell({"strategy": "none", "chosen": 0}, setting.base_prompt)
    for named in setting.config.greedy.strategies:
        sets = found_sets[named.name]
        for size in range(1, named.strategy.max_demonstrations + 1):
            condition: Condition = {"strategy": named.name, "chosen": size}
            reason = sets.reason_against(size)
            if reason is None:
                prompt, decoding = sets.prompt(size), sets.decodings.get(size)
                yield replace(setting.cell(condition, prompt, decoding=decoding), chosen_by=sets.search_questions)
            else:
                yield Hole(condition, reason)


EXPERIMENT = Experiment(
    name="greedy",
    question="What do searched demonstrations add to the base prompt?",
    source="table 4",
    cells=_cells,
    searches=_searches,
)
