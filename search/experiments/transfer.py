"""Sets of demonstrations that were found on one model, put to others."""

from collections.abc import Iterator, Mapping

from configs.errors import InputError
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


def _searches(setting: Setting) -> list[SearchTask]:
    return search_tasks(setting, setting.config.transfer.strategies)


def _cells(setting: Setting, found_sets: FoundSets) -> Iterator[Cell | Hole]:
    config = setting.config
    prompts: dict[str, BasePrompt | str] = {_BASE: setting.base_prompt}
    for named in config.transfer.sets:
        prompts |= _read(setting, named)
    for searched in config.transfer.strategies:
        prompts |= _prompts_of(searched, found_sets[searched.name])
    if len(prompts) == 1:
        raise InputError("transfer has no set to put to other models: set transfer.sets or transfer.strategies")
    own = AskedModelConfig(name=config.pair, model=config.model)
    for asked in (own, *config.transfer.models):
        for name, prompt in prompts.items():
            condition = {"set": name, "model": asked.name}
            if isinstance(prompt, str):
                yield Hole(condition, prompt, model=asked.model)
            else:
                yield setting.cell(condition, prompt, model=asked.model, chat=asked.chat)


def _prompts_of(searched: NamedStrategy, sets: FoundSet) -> Mapping[str, BasePrompt | str]:
    """The best prompt of each size, or why there is none."""
    return {
        f"{searched.name}, {size} chosen": sets.reason_against(size) or sets.prompt(size)
        for size in range(1, searched.strategy.max_demonstrations + 1)
    }


def _read(setting: Setting, named: NamedSetConfig) -> dict[str, BasePrompt]:
    """A prompt of a file; or those that a search has found, by how many demonstrations were chosen."""
    if not named.path.is_dir():
        variant = VariantConfig(
            name=named.name, prompt=named.path, query_field=named.query_field, answer_field=named.answer_field
        )
        return {named.name: read_prompt(variant, setting.config.render)}
    sets = found_by(read_finished_search(named.path))
    prompts = {f"{named.name}, {size} chosen": sets.prompt(size) for size in sorted(sets.by_size) if size}
    if not prompts:
        raise InputError(
            f"{named.path}: the search has scored no set on all of its questions; give another, or an export"
        )
    return prompts


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
