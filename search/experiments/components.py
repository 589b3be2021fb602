"""Rules, examples, or both: which part of the base prompt does the work."""

from collections.abc import Iterator

from configs.plural import show_many
from search.experiments.cell import Cell, Condition, Hole
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.setting import EMPTY, Setting


def _cells(setting: Setting, _: FoundSets) -> Iterator[Cell | Hole]:
    for kind in ("examples only", "rules and examples"):
        for count in setting.config.components.counts:
            yield _cell(setting, kind, count)
    if setting.config.instruct is not None:
        for count in setting.config.components.counts:
            yield _cell(setting, "instruct model, rules and examples", count)
        alone: Condition = {"prompt": "instruct model, no prompt", "n": 0}
        yield setting.cell(alone, EMPTY, model=setting.config.instruct, chat=True)


def _cell(setting: Setting, kind: str, count: int) -> Cell | Hole:
    condition: Condition = {"prompt": kind, "n": count}
    shown, instruct = setting.base_prompt.demonstrations, None
    if kind.startswith("instruct"):
        instruct = setting.config.instruct
    if count > len(shown):
        return Hole(condition, f"the base prompt has only {show_many(len(shown), 'demonstration')}", model=instruct)
    prompt = setting.prompt(shown[:count], rules=kind != "examples only")
    return setting.cell(condition, prompt, model=instruct, chat=instruct is not None)


EXPERIMENT = Experiment(
    name="components",
    question="Which part of the prompt does the work: its rules or its examples?",
    source="figure 2 and table 7",
    cells=_cells,
    figure="lines",
    x="n",
    x_name="examples of the base prompt",
)
