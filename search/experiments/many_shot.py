"""The number of demonstrations, from none to as many as the context holds."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence

from configs.records import read_all_records
from search.experiments.cell import Cell, Condition, Hole
from search.experiments.experiment import Experiment, Found
from search.experiments.queries_alone import queries_alone
from search.experiments.setting import EMPTY, Setting
from search.experiments.single_scores import best_alone
from search.problem.exchange import exchange_of, fields_of
from search.prompts.demonstration import Demonstration, demonstration_of

RANDOM, WITH_BASE = "random", "random and base prompt"


def _cells(setting: Setting, _: Found) -> Iterator[Cell | Hole]:
    config = setting.config.many_shot
    yield setting.cell({"examples": "none", "n": 0}, EMPTY)
    yield setting.cell({"examples": "base prompt", "n": len(setting.base_prompt.demonstrations)}, setting.base_prompt)
    for count in sorted({*config.counts} - {0}):
        for draw in range(1, config.draws + 1):
            yield from _drawn(setting, count, draw)
    if config.scores is not None:
        yield from _fixed(setting, "best alone", best_alone(config.scores, setting.pool))
    if config.unsupervised:
        order = setting.draw(1, config.seed)
        for count in sorted({*config.counts} - {0}):
            condition: Condition = {"examples": "queries alone", "n": count}
            lacking = setting.require_pool(count)
            if lacking is None:
                yield setting.cell(condition, queries_alone(setting.base_prompt.rules, order[:count]), draw=1)
            else:
                yield Hole(condition, lacking, draw=1)


def _drawn(setting: Setting, count: int, draw: int) -> Iterator[Cell | Hole]:
    """Random ones without and with the base prompt's behind them, and the same number of each source."""
    config, own = setting.config.many_shot, setting.base_prompt.demonstrations
    drawn, lacking = setting.draw(draw, config.seed), setting.require_pool(count)
    if lacking is None:
        yield setting.cell({"examples": RANDOM, "n": count}, setting.prompt(drawn[:count]), draw=draw)
    else:
        yield Hole({"examples": RANDOM, "n": count}, lacking, draw)
    if count > len(own):
        added = count - len(own)
        short = setting.require_pool(added)
        if short is None:
            shown = (*drawn[:added], *own)
            yield setting.cell({"examples": WITH_BASE, "n": count}, setting.prompt(shown), draw=draw)
        else:
            yield Hole({"examples": WITH_BASE, "n": count}, short, draw)
    if config.source_field is None:
        return
    condition: Condition = {"examples": "stratified", "n": count}
    if lacking is None:
        yield setting.cell(condition, setting.prompt(_stratified(setting, draw)[:count]), draw=draw)
    else:
        yield Hole(condition, lacking, draw)


def _fixed(setting: Setting, kind: str, order: Sequence[Demonstration]) -> Iterator[Cell | Hole]:
    for count in sorted({*setting.config.many_shot.counts} - {0}):
        if count <= len(order):
            yield setting.cell({"examples": kind, "n": count}, setting.prompt(order[:count]))
        else:
            yield Hole({"examples": kind, "n": count}, f"the search has scored {len(order)} demonstrations alone")


def _stratified(setting: Setting, draw: int) -> list[Demonstration]:
    """An order of the pool in which sources take turns, each in a random order of its own."""
    config, field = setting.config, setting.config.many_shot.source_field or ""
    source_of = {
        demonstration_of(exchange_of(row, fields_of(config.pool)).turns).id: str(row.get(field) or "")
        for row in read_all_records(config.pool)
    }
    by_source: dict[str, list[Demonstration]] = defaultdict(list)
    for demonstration in setting.draw(draw, config.many_shot.seed):
        by_source[source_of.get(demonstration.content, "")].append(demonstration)
    groups = list(by_source.values())
    random.Random(f"{config.many_shot.seed}/{draw}/sources").shuffle(groups)  # noqa: S311 -- no secret
    longest = max(map(len, groups))
    return [group[at] for at in range(longest) for group in groups if at < len(group)]


EXPERIMENT = Experiment(
    name="many_shot",
    question="Do more examples help?",
    source="figure 3 and table 10",
    cells=_cells,
    figure="lines",
    x="n",
    x_name="examples in the prompt",
)
