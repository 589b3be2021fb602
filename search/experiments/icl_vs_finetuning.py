"""The same n examples as a prompt or as training data."""

from collections.abc import Iterator

from search.experiments.cell import Cell, Condition, Hole, Training
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.setting import EMPTY, Setting

ICL = "in context"


def _cells(setting: Setting, _: FoundSets) -> Iterator[Cell | Hole]:
    config = setting.config
    yield setting.cell({"examples": "none", "n": 0}, EMPTY)
    yield from _of_pool(setting, "")
    for named in config.icl_vs_finetuning.further_pools:
        yield from _of_pool(Setting(config.model_copy(update={"pool": named.pool})), f"{named.name}, ")
    if config.instruct is not None:
        yield setting.cell({"examples": "instruct model", "n": 0}, EMPTY, model=config.instruct, chat=True)


def _of_pool(setting: Setting, source: str) -> Iterator[Cell | Hole]:
    """Cells of the setting's pool.

    Args:
        source: stands in front of what the kinds of examples are called; "" for the experiment's own pool.
    """
    config = setting.config.icl_vs_finetuning
    for count in sorted({*config.counts} - {0}):
        reason = setting.reason_against(count)
        for draw in range(1, config.draws + 1):
            shown = setting.draw(draw, config.seed)[:count]
            in_context: Condition = {"examples": f"{source}{ICL}", "n": count}
            yield setting.cell_or_hole(reason, in_context, setting.prompt(shown), draw)
            for method in config.methods:
                condition: Condition = {"examples": f"{source}fine-tuned ({method})", "n": count}
                training = Training(method, shown, config.seed + draw)
                yield setting.cell_or_hole(reason, condition, EMPTY, draw, training)


EXPERIMENT = Experiment(
    name="icl_vs_finetuning",
    question="Are n examples worth more in the prompt or in the weights?",
    source="figure 5",
    cells=_cells,
    figure="lines",
    x="n",
    x_name="examples",
    has_log_x=True,
)
