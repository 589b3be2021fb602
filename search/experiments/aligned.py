"""Base models with a prompt against the instruct models that were made of them."""

from collections.abc import Iterator

from configs.schema.experiments import ModelPairConfig
from search.experiments.cell import Cell, Hole
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.setting import EMPTY, Setting


def _cells(setting: Setting, _: FoundSets) -> Iterator[Cell | Hole]:
    config = setting.config
    own = ModelPairConfig(name=config.pair, model=config.model, instruct=config.instruct)
    for pair in (own, *config.aligned.pairs):
        yield setting.cell({"pair": pair.name, "asked": "base with prompt"}, setting.base_prompt, model=pair.model)
        yield setting.cell({"pair": pair.name, "asked": "base, no prompt"}, EMPTY, model=pair.model)
        condition = {"pair": pair.name, "asked": "instruct"}
        if pair.instruct is None:
            yield Hole(condition, "the config names no instruct model: set `instruct`")
        else:
            yield setting.cell(condition, EMPTY, model=pair.instruct, chat=True)


EXPERIMENT = Experiment(
    name="aligned",
    question="How far is a base model with a prompt from the instruct model?",
    source="table 1",
    cells=_cells,
    within=("pair",),
)
