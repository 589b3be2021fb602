"""Temperature, nucleus mass and repetition penalty: how much of a score is the decoding's."""

from collections.abc import Iterator

from configs.schema.decoding import DecodingConfig
from configs.schema.experiment import ExperimentConfig
from search.experiments.cell import Cell, Condition, Hole
from search.experiments.experiment import Experiment, FoundSets, Reference
from search.experiments.found_sets import FoundSet, SearchTask
from search.experiments.search_tasks import optional_search
from search.experiments.setting import EMPTY, Setting
from search.prompts.urial import BasePrompt

SEARCHED = "searched"
"""Name of the search, and of its folder."""
PROMPTED = "base with prompt"
DECODING_SEARCHED = "base with prompt, decoding searched"
BOTH_SEARCHED = "demonstrations and decoding searched"


def _searches(setting: Setting) -> list[SearchTask]:
    return optional_search(setting, SEARCHED, setting.config.decoding_sweep.strategy)


def _cells(setting: Setting, found_sets: FoundSets) -> Iterator[Cell | Hole]:
    config = setting.config.decoding_sweep
    for penalty in config.repetition_penalties:
        for kind, prompt in _prompts(setting).items():
            for top_p in config.top_ps:
                for temperature in config.temperatures:
                    changes = {"temperature": temperature, "top_p": top_p, "repetition_penalty": penalty}
                    decoding = setting.config.decoding.model_copy(update=changes)
                    yield setting.cell(
                        _condition(kind, decoding),
                        prompt,
                        model=setting.config.instruct if kind == "instruct" else None,
                        chat=kind == "instruct",
                        decoding=decoding,
                    )
    if SEARCHED in found_sets:
        if not _sweeps(setting.config):
            yield setting.cell(_condition(PROMPTED, setting.config.decoding), setting.base_prompt)
        yield from _searched(setting, found_sets[SEARCHED])


def _searched(setting: Setting, sets: FoundSet) -> Iterator[Cell | Hole]:
    """The base prompt in the decoding that was best for it, and the best of all demonstrations and decodings."""
    best = max(sets.by_size, key=lambda size: sets.scores[size].mean if size in sets.scores else size, default=0)
    for name, size in {DECODING_SEARCHED: 0, BOTH_SEARCHED: best}.items():
        condition = _condition(name, sets.decodings.get(size, setting.config.decoding))
        yield setting.found_cell(condition, sets, size)


def _condition(model: str, decoding: DecodingConfig) -> Condition:
    return {
        "model": model,
        "repetition penalty": decoding.repetition_penalty,
        "top-p": decoding.top_p,
        "temperature": decoding.temperature,
    }


def _sweeps(config: ExperimentConfig) -> bool:
    """Whether the config's own decoding is a place of the grid."""
    own, sweep = config.decoding, config.decoding_sweep
    return (
        own.temperature in sweep.temperatures
        and own.top_p in sweep.top_ps
        and own.repetition_penalty in sweep.repetition_penalties
    )


def _compared_with(config: ExperimentConfig, condition: Condition) -> Condition | None:
    """The base prompt in the config's decoding, for what a search has found."""
    is_searched = condition["model"] in {DECODING_SEARCHED, BOTH_SEARCHED}
    return _condition(PROMPTED, config.decoding) if is_searched else None


def _prompts(setting: Setting) -> dict[str, BasePrompt]:
    prompts = {"base": EMPTY, PROMPTED: setting.base_prompt}
    return prompts if setting.config.instruct is None else prompts | {"instruct": EMPTY}


EXPERIMENT = Experiment(
    name="decoding",
    question="How much of a score is the decoding's?",
    source="the heat maps of the appendix",
    cells=_cells,
    searches=_searches,
    within=("model", "repetition penalty"),
    reference=Reference(_compared_with, "what was searched, to the base prompt in the config's decoding"),
    figure="heatmap",
    x="temperature",
    y="top-p",
    x_name="temperature",
)
