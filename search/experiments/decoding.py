"""Temperature, nucleus mass and repetition penalty: how much of a score is the decoding's."""

from collections.abc import Iterator

from configs.schema.experiments import NamedStrategy
from search.experiments.cell import Cell, Condition, Hole
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.found_sets import FoundSet, SearchTask
from search.experiments.search_tasks import search_tasks
from search.experiments.setting import EMPTY, Setting
from search.prompts.urial import BasePrompt

SEARCHED = "searched"
"""Name of the search, and of its folder."""


def _searches(setting: Setting) -> list[SearchTask]:
    strategy = setting.config.decoding_sweep.strategy
    return [] if strategy is None else search_tasks(setting, [NamedStrategy(name=SEARCHED, strategy=strategy)])


def _cells(setting: Setting, found_sets: FoundSets) -> Iterator[Cell | Hole]:
    config = setting.config.decoding_sweep
    for penalty in config.repetition_penalties:
        for kind, prompt in _prompts(setting).items():
            for top_p in config.top_ps:
                for temperature in config.temperatures:
                    changes = {"temperature": temperature, "top_p": top_p, "repetition_penalty": penalty}
                    yield setting.cell(
                        {"model": kind, "repetition penalty": penalty, "top-p": top_p, "temperature": temperature},
                        prompt,
                        model=setting.config.instruct if kind == "instruct" else None,
                        chat=kind == "instruct",
                        decoding=setting.config.decoding.model_copy(update=changes),
                    )

    if SEARCHED in found_sets:
        yield from _searched(setting, found_sets[SEARCHED])


def _searched(setting: Setting, sets: FoundSet) -> Iterator[Cell | Hole]:
    """The base prompt in the decoding that was best for it, and the best of all demonstrations and decodings."""
    best = max(sets.by_size, key=lambda size: sets.scores[size].mean if size in sets.scores else size, default=0)
    for name, size in {"base with prompt, decoding searched": 0, "demonstrations and decoding searched": best}.items():
        decoding = sets.decodings.get(size, setting.config.decoding)
        condition: Condition = {
            "model": name,
            "repetition penalty": decoding.repetition_penalty,
            "top-p": decoding.top_p,
            "temperature": decoding.temperature,
        }
        reason = sets.reason_against(size)
        if reason is None:
            yield setting.cell(condition, sets.prompt(size), decoding=decoding)
        else:
            yield Hole(condition, reason)


def _prompts(setting: Setting) -> dict[str, BasePrompt]:
    prompts = {"base": EMPTY, "base with prompt": setting.base_prompt}
    return prompts if setting.config.instruct is None else prompts | {"instruct": EMPTY}


EXPERIMENT = Experiment(
    name="decoding",
    question="How much of a score is the decoding's?",
    source="the heat maps of the appendix",
    cells=_cells,
    searches=_searches,
    within=("model", "repetition penalty"),
    figure="heatmap",
    x="temperature",
    y="top-p",
    x_name="temperature",
)
