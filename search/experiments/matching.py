"""Answers that belong to their queries, to others, or to none: what a demonstration has to be."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from configs.plural import show_many
from configs.schema.decoding import DecodingConfig
from configs.schema.model import AnyModelConfig
from search.experiments.cell import Cell, Condition, Hole
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.found_sets import FoundSet, SearchTask
from search.experiments.queries_alone import answers_alone, queries_alone
from search.experiments.search_tasks import optional_search
from search.experiments.setting import EMPTY, Setting
from search.problem.pool import load_pool
from search.prompts.demonstration import Demonstration, single_turns
from search.prompts.render import make_renderer
from search.prompts.urial import BasePrompt

CORRECT, SHIFTED = "correct answers", "circular shift"
IN_DOMAIN, OUT_OF_DOMAIN = "in-domain random answers", "out-of-domain random answers"
INSTRUCT = "base prompt, instruct model"


SEARCHED = "searched"
"""Name of the search, and of its folder."""


def _searches(setting: Setting) -> list[SearchTask]:
    return optional_search(setting, SEARCHED, setting.config.matching.strategy)


def _cells(setting: Setting, found_sets: FoundSets) -> Iterator[Cell | Hole]:
    config, own = setting.config.matching, tuple(single_turns(setting.base_prompt.demonstrations))
    yield from _matchings(setting, {"demonstrations": "base prompt"}, own)
    if config.added:
        yield from _drawn(setting, own)
    if config.strategy is not None:
        yield from _of_found_set(setting, found_sets[SEARCHED], config.strategy.max_demonstrations)
    if setting.config.instruct is not None:
        yield from _matchings(setting, {"demonstrations": INSTRUCT}, own, setting.config.instruct)


def _drawn(setting: Setting, own: Sequence[Demonstration]) -> Iterator[Cell | Hole]:
    """Demonstrations of the pool in front of the base prompt's own, matched draw by draw."""
    config = setting.config.matching
    of: Condition = {"demonstrations": f"base prompt and {config.added} drawn"}
    if setting.reason_against(config.added) is not None:
        yield Hole({**of, "matching": CORRECT}, "the pool has too few demonstrations")
        return
    for draw in range(1, config.draws + 1):
        drawn = single_turns(setting.draw(2 * draw - 1, config.seed)[: config.added])
        yield from _matchings(setting, of, (*drawn, *own), draw=draw)


def _of_found_set(setting: Setting, sets: FoundSet, size: int) -> Iterator[Cell | Hole]:
    condition, reason = {"demonstrations": f"base prompt and {size} found"}, sets.reason_against(size)
    if reason is None:
        shown = single_turns(sets.prompt(size).demonstrations)
        for entry in _matchings(setting, condition, shown, decoding=sets.decodings.get(size)):
            yield replace(entry, chosen_by=sets.search_questions) if isinstance(entry, Cell) else entry
    else:
        yield Hole(condition | {"matching": CORRECT}, reason)


def _matchings(
    setting: Setting,
    of: Condition,
    shown: Sequence[Demonstration],
    instruct: AnyModelConfig | None = None,
    decoding: DecodingConfig | None = None,
    draw: int | None = None,
) -> Iterator[Cell | Hole]:
    """Cells whose demonstrations have right, shifted, in-domain or out-of-domain answers.

    Args:
        instruct: what is asked in the place of the base model, in its chat template.
        decoding: that the demonstrations were found with; None for the config's own.
        draw: that gave the demonstrations, and gives their random answers; None where the answers alone are drawn.
    """
    if not shown:
        yield Hole({**of, "matching": CORRECT}, "there is no demonstration to match", model=instruct)
        return
    ask = partial(setting.cell, model=instruct, chat=instruct is not None, decoding=decoding)
    rules = setting.base_prompt.rules
    assignments: list[tuple[str, list[str] | str, int | None]] = [
        (CORRECT, [demonstration.answer for demonstration in shown], draw),
        (SHIFTED, _shifted(shown), draw),
    ]
    for number in range(1, setting.config.matching.draws + 1) if draw is None else [draw]:
        assignments.append((IN_DOMAIN, _in_domain(setting, shown, number), number))
        assignments.append((OUT_OF_DOMAIN, _out_of_domain(setting, len(shown), number), number))
    for kind, answers, of_draw in assignments:
        condition = {**of, "matching": kind}
        if isinstance(answers, str):
            yield Hole(condition, answers, of_draw, model=instruct)
        else:
            yield ask(condition, _answered(setting, shown, answers), draw=of_draw)
    yield ask({**of, "matching": "answers only"}, answers_alone(rules, shown), draw=draw)
    yield ask({**of, "matching": "queries only"}, queries_alone(rules, shown), draw=draw)
    if draw in {None, 1}:
        yield ask({**of, "matching": "no demonstrations"}, EMPTY)


def _answered(setting: Setting, shown: Sequence[Demonstration], answers: Sequence[str]) -> BasePrompt:
    pairs = [replace(demonstration, answer=answer) for demonstration, answer in zip(shown, answers, strict=True)]
    return setting.prompt(pairs)


def _shifted(shown: Sequence[Demonstration]) -> list[str] | str:
    """Answers in a circle, to each query that of the next one; or why none of them is wrong."""
    answers = [demonstration.answer for demonstration in shown]
    if len(set(answers)) < 2:
        return "a circular shift needs demonstrations with two different answers"
    return [*answers[1:], answers[0]]


def _in_domain(setting: Setting, shown: Sequence[Demonstration], draw: int) -> list[str] | str:
    """Answers of the pool that belong to none of the queries; or why there are none."""
    taken = {demonstration.answer for demonstration in shown}
    drawn = single_turns(setting.draw(2 * draw, setting.config.matching.seed))
    others = [demonstration.answer for demonstration in drawn if demonstration.answer not in taken]
    return others[: len(shown)] if len(others) >= len(shown) else "the pool has too few further answers"


def _out_of_domain(setting: Setting, count: int, draw: int) -> list[str] | str:
    """Random answers of another data set; or why there are none."""
    source = setting.config.matching.out_of_domain
    if source is None:
        return "no answers of another domain: set matching.out_of_domain"
    pool = load_pool(source, make_renderer(setting.config.render, setting.config.model).holds)
    answers = sorted({answer for demonstration in pool.values() for _, answer in demonstration.turns})
    if len(answers) < count:
        return (
            f"matching.out_of_domain has {show_many(len(answers), 'answer')}, {show_many(count, 'is', 'are')} asked for"
        )
    return random.Random(setting.config.matching.seed + draw - 1).sample(answers, count)  # noqa: S311 -- no secret


EXPERIMENT = Experiment(
    name="matching",
    question="Must the answers of the examples belong to their queries?",
    source="tables 2 and 8",
    cells=_cells,
    searches=_searches,
    within=("demonstrations",),
)
