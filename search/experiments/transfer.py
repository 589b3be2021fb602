"""Sets of demonstrations that were found on one model, put to others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from configs.errors import InputError
from configs.schema.decoding import DecodingConfig
from configs.schema.evaluation import VariantConfig
from configs.schema.experiments import AskedModelConfig, NamedSetConfig, NamedStrategy
from search.experiments.cell import Cell, Hole
from search.experiments.earlier_search import read_finished_search
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.found_sets import FoundSet, SearchTask
from search.experiments.search_tasks import search_tasks
from search.experiments.searches import found_by
from search.experiments.setting import Setting
from search.problem.prompt_variant import read_prompt
from search.prompts.urial import BasePrompt

_BASE = "base prompt"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A prompt that every model is asked with.

    Attributes:
        decoding: that it was found with; None for the config's own.
        chosen_by: ids of the search questions that have chosen it; empty where a file does not tell them.
    """

    prompt: BasePrompt
    decoding: DecodingConfig | None = None
    chosen_by: frozenset[str] = frozenset()


_Sets = Mapping[str, _Shown | str]
"""Prompts, or the reasons why there is none, by the name of the set."""


def _searches(setting: Setting) -> list[SearchTask]:
    return search_tasks(setting, setting.config.transfer.strategies)


def _cells(setting: Setting, found_sets: FoundSets) -> Iterator[Cell | Hole]:
    config, sets = setting.config, _all_sets(setting, found_sets)
    own = AskedModelConfig(name=config.pair, model=config.model)
    for asked in (own, *config.transfer.models):
        for name, shown in sets.items():
            condition = {"set": name, "model": asked.name}
            if isinstance(shown, str):
                yield Hole(condition, shown, model=asked.model)
            else:
                cell = setting.cell(
                    condition, shown.prompt, model=asked.model, chat=asked.chat, decoding=shown.decoding
                )
                yield replace(cell, chosen_by=shown.chosen_by)


def _all_sets(setting: Setting, found_sets: FoundSets) -> _Sets:
    """The base prompt and every other set. Raises InputError where there is no other, or two have the same name."""
    config, sets = setting.config.transfer, dict[str, _Shown | str]({_BASE: _Shown(setting.base_prompt)})
    further = [_read(setting, named) for named in config.sets]
    further += [_sets_of(searched, found_sets[searched.name]) for searched in config.strategies]
    for named_sets in further:
        for name, shown in named_sets.items():
            if name in sets:
                raise InputError(
                    f"transfer: two sets are called '{name}'; give one of transfer.sets or .strategies another name"
                )
            sets[name] = shown
    if len(sets) == 1:
        raise InputError("transfer has no set to try on other models: set transfer.sets or transfer.strategies")
    return sets


def _sets_of(searched: NamedStrategy, found_set: FoundSet) -> _Sets:
    """The best prompt of each size, or why there is none."""
    return {
        _sized(searched.name, size): found_set.reason_against(size) or _shown(found_set, size)
        for size in range(1, searched.strategy.max_demonstrations + 1)
    }


def _sized(name: str, size: int) -> str:
    return f"{name}, {size} chosen"


def _shown(found_set: FoundSet, size: int) -> _Shown:
    return _Shown(found_set.prompt(size), found_set.decodings.get(size), found_set.search_questions)


def _read(setting: Setting, named: NamedSetConfig) -> _Sets:
    """A prompt of a file; or those that a search has found, by how many demonstrations were chosen."""
    if not named.path.is_dir():
        variant = VariantConfig(
            name=named.name, prompt=named.path, query_field=named.query_field, answer_field=named.answer_field
        )
        return {named.name: _Shown(read_prompt(variant, setting.config.render))}
    found_set = found_by(read_finished_search(named.path))
    sets = {_sized(named.name, size): _shown(found_set, size) for size in sorted(found_set.by_size) if size}
    if not sets:
        raise InputError(
            f"{named.path}: the search has scored no set on all of its questions; give another, or an export"
        )
    return sets


EXPERIMENT = Experiment(
    name="transfer",
    question="Do demonstrations that were found on one model help others?",
    source="table 9",
    cells=_cells,
    searches=_searches,
    within=("model",),
    figure="heatmap",
    x="model",
    y="set",
    x_name="model",
    is_matrix=True,
)
