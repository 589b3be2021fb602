"""The number of demonstrations, from none to as many as the context holds."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from configs.errors import InputError
from configs.plural import show_many
from configs.records import read_all_records
from configs.schema.data import PoolConfig
from search.experiments.cell import Cell, Condition, Hole
from search.experiments.earlier_search import read_finished_search
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.found_sets import SearchTask
from search.experiments.queries_alone import queries_alone
from search.experiments.search_tasks import optional_search
from search.experiments.searches import found_by
from search.experiments.setting import EMPTY, Setting
from search.experiments.single_scores import of_pool
from search.problem.exchange import exchange_of, fields_of
from search.prompts.demonstration import Demonstration, demonstration_of

RANDOM, WITH_BASE = "random", "random and base prompt"
ALONE, ALONE_WITH_BASE = "best alone", "best alone and base prompt"

SCORED = "scored alone"
"""Name of the search, and of its folder."""


def _searches(setting: Setting) -> list[SearchTask]:
    return optional_search(setting, SCORED, setting.config.many_shot.strategy)


def _cells(setting: Setting, found_sets: FoundSets) -> Iterator[Cell | Hole]:
    config = setting.config.many_shot
    yield setting.cell({"examples": "none", "n": 0}, EMPTY)
    yield setting.cell({"examples": "base prompt", "n": len(setting.base_prompt.demonstrations)}, setting.base_prompt)
    for count in sorted({*config.counts} - {0}):
        for draw in range(1, config.draws + 1):
            yield from _drawn(setting, count, draw)
    if config.source_field is not None:
        yield from _stratified(setting, config.source_field)
    if config.scores is not None or SCORED in found_sets:
        yield from _best_alone(setting, found_sets)
    if config.unsupervised:
        yield from _queries_alone(setting)


def _drawn(setting: Setting, count: int, draw: int) -> Iterator[Cell | Hole]:
    """Random ones without and with the base prompt's behind them."""
    config, own = setting.config.many_shot, setting.base_prompt.demonstrations
    drawn, reason = setting.draw(draw, config.seed), setting.reason_against(count)
    yield setting.cell_or_hole(reason, {"examples": RANDOM, "n": count}, setting.prompt(drawn[:count]), draw)
    if (added := count - len(own)) > 0:
        prompt, reason = setting.prompt((*drawn[:added], *own)), setting.reason_against(added)
        yield setting.cell_or_hole(reason, {"examples": WITH_BASE, "n": count}, prompt, draw)


def _queries_alone(setting: Setting) -> Iterator[Cell | Hole]:
    """The random draws without their answers."""
    config, rules = setting.config.many_shot, setting.base_prompt.rules
    for draw in range(1, config.draws + 1):
        order = setting.draw(draw, config.seed)
        for count in sorted({*config.counts} - {0}):
            prompt, reason = queries_alone(rules, order[:count]), setting.reason_against(count)
            yield setting.cell_or_hole(reason, {"examples": "queries alone", "n": count}, prompt, draw)


def _best_alone(setting: Setting, found_sets: FoundSets) -> Iterator[Cell | Hole]:
    """The best of a search's first round, without the base prompt's demonstrations and in front of them."""
    config, own = setting.config.many_shot, setting.base_prompt.demonstrations
    scored = found_sets[SCORED] if config.scores is None else found_by(read_finished_search(config.scores))
    order, refused = of_pool(scored.alone, setting.pool), scored.refused
    if config.scores is not None and not order:
        raise InputError(
            f"{config.scores}: the search has scored no demonstration of this pool alone on all search questions; give "
            "the run of an exhaustive greedy search in many_shot.scores"
        )
    for count in sorted({*config.counts} - {0}):
        for kind, behind in ((ALONE, ()), (ALONE_WITH_BASE, own)):
            wanted = count - len(behind)
            if wanted <= 0:
                continue
            condition: Condition = {"examples": kind, "n": count}
            if refused:
                yield Hole(condition, f"the search cannot run: {refused}")
            elif wanted > len(order):
                reason = (
                    f"the search has scored {show_many(len(order), 'demonstration')} alone, "
                    f"{show_many(wanted, 'is', 'are')} asked for"
                )
                yield Hole(condition, reason)
            else:
                cell = setting.cell(condition, setting.prompt((*order[:wanted], *behind)))
                yield replace(cell, chosen_by=scored.search_questions)


def _stratified(setting: Setting, field: str) -> Iterator[Cell | Hole]:
    """Draws with as many of each source as the number allows."""
    config, source_of = setting.config.many_shot, _sources(setting.config.pool, field)
    for draw in range(1, config.draws + 1):
        order = _in_turn(setting, draw, source_of)
        for count in sorted({*config.counts} - {0}):
            prompt, reason = setting.prompt(order[:count]), setting.reason_against(count)
            yield setting.cell_or_hole(reason, {"examples": "stratified", "n": count}, prompt, draw)


def _sources(pool: PoolConfig, field: str) -> dict[str, str]:
    """The source of each demonstration, by its content. Raises InputError where no row names one."""
    rows = read_all_records(pool)
    if not any(row.has(field) for row in rows):
        names = ", ".join(dict.fromkeys(name for row in rows[:100] for name in row))
        raise InputError(
            f"{pool.path or pool.hub}: no row has the field '{field}'; set many_shot.source_field to one of {names}, "
            "or to null"
        )
    fields = fields_of(pool)
    return {demonstration_of(exchange_of(row, fields).turns).id: str(row.value(field) or "") for row in rows}


def _in_turn(setting: Setting, draw: int, source_of: Mapping[str, str]) -> list[Demonstration]:
    """An order of the pool in which sources take turns, each in a random order of its own."""
    seed = setting.config.many_shot.seed
    by_source: dict[str, list[Demonstration]] = defaultdict(list)
    for demonstration in setting.draw(draw, seed):
        by_source[source_of.get(demonstration.content, "")].append(demonstration)
    groups = list(by_source.values())
    random.Random(f"{seed}/{draw}/sources").shuffle(groups)  # noqa: S311 -- no secret
    longest = max(map(len, groups), default=0)
    return [group[at] for at in range(longest) for group in groups if at < len(group)]


EXPERIMENT = Experiment(
    name="many_shot",
    question="Do more examples help?",
    source="figure 3 and table 10",
    cells=_cells,
    searches=_searches,
    figure="lines",
    x="n",
    x_name="examples in the prompt",
)
