"""All experiments on a pair of models together: how far a prompt brings the base model towards the instruct model."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from search.experiments import (
    components,
    decoding,
    greedy,
    icl_vs_finetuning,
    many_shot,
    matching,
    multi_turn,
    transfer,
)
from search.experiments.cell import Cell, Condition, Hole, cell_name
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.found_sets import SearchTask
from search.experiments.setting import EMPTY, Setting

BASE: Condition = MappingProxyType({"experiment": "reference", "condition": "base, no prompt"})
TARGET: Condition = MappingProxyType({"experiment": "reference", "condition": "instruct model"})
PARTS: Mapping[str, Experiment] = {
    part.name: part
    for part in (
        *(components.EXPERIMENT, greedy.EXPERIMENT, many_shot.EXPERIMENT, multi_turn.EXPERIMENT),
        *(decoding.EXPERIMENT, matching.EXPERIMENT, transfer.EXPERIMENT, icl_vs_finetuning.EXPERIMENT),
    )
}


def _parts(setting: Setting) -> Iterator[Experiment]:
    """The experiments that the config asks for; transfer only where it has sets."""
    config = setting.config
    for name in config.sufficient.experiments:
        if name != "transfer" or config.transfer.sets or config.transfer.strategies:
            yield PARTS[name]


def _searches(setting: Setting) -> list[SearchTask]:
    return [
        replace(task, name=f"{part.name}-{task.name}") for part in _parts(setting) for task in part.searches(setting)
    ]


def _cells(setting: Setting, found_sets: FoundSets) -> Iterator[Cell | Hole]:
    """What is asked of the base model in any of them, each prompt once."""
    own = setting.config.model
    yield setting.cell(BASE, EMPTY)
    yield setting.cell(TARGET, EMPTY, model=setting.instruct(), chat=True)
    seen = [setting.cell(BASE, EMPTY).asked]
    for part in _parts(setting):
        sets = {
            name.removeprefix(f"{part.name}-"): found_set
            for name, found_set in found_sets.items()
            if name.startswith(f"{part.name}-")
        }
        for entry in part.cells(setting, sets):
            named = replace(entry, condition=_condition(part, entry.condition))
            if isinstance(named, Hole):
                if named.model in (None, own):
                    yield named
            elif named.model == own and (named.draw is not None or named.asked not in seen):
                seen.append(named.asked)
                yield named


def _condition(part: Experiment, condition: Condition) -> Condition:
    return {"experiment": part.name, "condition": cell_name(condition, None)}


EXPERIMENT = Experiment(
    name="sufficient",
    question="Is in-context learning sufficient: how much of the gap from base to instruct model does it close?",
    source="title, and all of its tables",
    cells=_cells,
    searches=_searches,
    figure="shares",
)
