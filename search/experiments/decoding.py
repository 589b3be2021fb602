"""Temperature, nucleus mass and repetition penalty: how much of a score is the decoding's."""

from collections.abc import Iterator

from search.experiments.cell import Cell, Hole
from search.experiments.experiment import Experiment, Found
from search.experiments.setting import EMPTY, Setting
from search.prompts.urial import BasePrompt


def _cells(setting: Setting, _: Found) -> Iterator[Cell | Hole]:
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


def _prompts(setting: Setting) -> dict[str, BasePrompt]:
    prompts = {"base": EMPTY, "base with prompt": setting.base_prompt}
    return prompts if setting.config.instruct is None else prompts | {"instruct": EMPTY}


EXPERIMENT = Experiment(
    name="decoding",
    question="How much of a score is the decoding's?",
    source="the heat maps of the appendix",
    cells=_cells,
    within=("model", "repetition penalty"),
    figure="heatmap",
    x="temperature",
    y="top-p",
    x_name="temperature",
)
