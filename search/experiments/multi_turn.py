"""Demonstrations of two turns beside the same ones cut to their first turn, with and without a separation tag."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from configs.errors import InputError
from configs.plural import show_many
from configs.records import read_rows
from configs.schema.data import PoolConfig, RenderConfig
from search.experiments.cell import Cell, Condition, Hole
from search.experiments.experiment import Experiment, FoundSets
from search.experiments.setting import EMPTY, Setting, in_random_order
from search.prompts.demonstration import Demonstration
from search.prompts.urial import UrialForm, form_of

_BASE = "base prompt"


def _cells(setting: Setting, _: FoundSets) -> Iterator[Cell | Hole]:
    config, own = setting.config.multi_turn, setting.base_prompt.demonstrations
    yield setting.cell(_condition("none", 0, tag=False), EMPTY)
    yield from _with_and_without_tag(setting, _BASE, 1, own)
    longer = _longer(setting)
    if longer:
        yield from _with_and_without_tag(setting, _BASE, 2, longer)
    else:
        reason = "no base prompt of two turns: set multi_turn.follow_ups or multi_turn.base_prompt"
        yield from (Hole(_condition(_BASE, 2, tag), reason) for tag in (False, True))
    own_turns = {shown.turns[0] for shown in own}
    pool = [
        demonstration
        for demonstration in (_read(setting, config.pool or setting.config.pool) if config.added else ())
        if demonstration.turns[0] not in own_turns
    ]
    for count in config.added:
        for draw in range(1, config.draws + 1):
            yield from _drawn(setting, pool, count, draw, longer or own)


def _drawn(
    setting: Setting, pool: Sequence[Demonstration], count: int, draw: int, longer: Sequence[Demonstration]
) -> Iterator[Cell | Hole]:
    """The first turns of demonstrations in front of the base prompt, and both in front of its longer form."""
    name, own = f"{_BASE} and {count} drawn", setting.base_prompt.demonstrations
    if count > len(pool):
        reason = (
            f"the pool has {show_many(len(pool), 'demonstration')} of two turns, {show_many(count, 'is', 'are')} "
            "asked for"
        )
        yield from (Hole(_condition(name, turns, tag), reason, draw) for turns in (1, 2) for tag in (False, True))
        return
    drawn = in_random_order(pool, draw, setting.config.multi_turn.seed)[:count]
    first_turns = [replace(demonstration, further=()) for demonstration in drawn]
    yield from _with_and_without_tag(setting, name, 1, [*first_turns, *own], draw)
    yield from _with_and_without_tag(setting, name, 2, [*drawn, *longer], draw)


def _condition(demonstrations: str, turns: int, tag: bool) -> Condition:
    return {"demonstrations": demonstrations, "turns": turns, "tag": "yes" if tag else "no"}


def _with_and_without_tag(
    setting: Setting, name: str, turns: int, shown: Sequence[Demonstration], draw: int | None = None
) -> Iterator[Cell | Hole]:
    cell = setting.cell(_condition(name, turns, tag=False), setting.prompt(shown), draw=draw)
    yield replace(cell, render=_render(setting, tag=False))
    tagged = _condition(name, turns, tag=True)
    if setting.config.render.template == "chat":
        yield Hole(tagged, "a chat template marks its turns itself", draw)
    else:
        yield replace(cell, condition=tagged, render=_render(setting, tag=True))


def _render(setting: Setting, tag: bool) -> RenderConfig:
    """The config's own, with this experiment's tag or with none."""
    config = setting.config.multi_turn
    changes = {
        "separation_tag": config.separation_tag if tag else None,
        "separation_tag_between": config.separation_tag_between,
    }
    return setting.config.render.model_copy(update=changes)


def _longer(setting: Setting) -> tuple[Demonstration, ...]:
    """The base prompt's demonstrations with a second turn each; none where the config gives no second turns.

    Raises:
        InputError: there are more or fewer second turns than demonstrations, their first turns differ, or one lacks a
            text or cannot be shown.
    """
    config, own = setting.config.multi_turn, setting.base_prompt.demonstrations
    if config.base_prompt is not None:
        return _same_first_turns(_read(setting, config.base_prompt), own, config.base_prompt)
    if config.follow_ups is None:
        return ()
    rows = read_rows(config.follow_ups)
    if len(rows) != len(own):
        raise InputError(
            f"{config.follow_ups}: {show_many(len(rows), 'second turn')} for the base prompt's "
            f"{show_many(len(own), 'demonstration')}; "
            "give one for each, in their order"
        )
    forms, longer = _forms(setting), []
    for row, demonstration in zip(rows, own, strict=True):
        turn = row.text("follow_up_query"), row.text("follow_up_answer")
        if not all(text.strip() for text in turn):
            raise InputError(f"{row.place}: a second turn has a query and an answer; one of them is empty")
        if not all(form.holds(*demonstration.turns[:1], turn) for form in forms):
            raise InputError(f"{row.place}: a prompt cannot hold this turn; take headings and fences out of it")
        longer.append(replace(demonstration, further=(turn,)))
    return tuple(longer)


def _same_first_turns(
    longer: tuple[Demonstration, ...], own: Sequence[Demonstration], source: PoolConfig
) -> tuple[Demonstration, ...]:
    """The longer demonstrations, after a look at whether they go on from the base prompt's own. Raises InputError."""
    place = f"multi_turn.base_prompt, {source.path or source.hub}"
    if len(longer) != len(own):
        raise InputError(
            f"{place}: {show_many(len(longer), 'demonstration')} of two turns that a prompt can hold, but the base "
            "prompt has "
            f"{len(own)}; give each of them a second turn, in their order"
        )
    for number, (two_turns, one_turn) in enumerate(zip(longer, own, strict=True), start=1):
        if [text.strip() for text in two_turns.turns[0]] != [text.strip() for text in one_turn.turns[0]]:
            raise InputError(
                f"{place}: demonstration {number} has another first turn than demonstration {number} of the base "
                "prompt; copy query and answer from there, in the same order"
            )
    return longer


def _forms(setting: Setting) -> list[UrialForm]:
    return [form_of(_render(setting, tag)) for tag in (False, True)]


def _read(setting: Setting, source: PoolConfig) -> tuple[Demonstration, ...]:
    """The first two turns of those demonstrations that have as many, and that both kinds of prompt can hold."""
    forms = _forms(setting)
    pool = setting.read_pool(source, lambda exchange: all(form.holds(*exchange.turns) for form in forms))
    return tuple(
        replace(demonstration, further=demonstration.further[:1])
        for demonstration in pool.values()
        if demonstration.further
    )


EXPERIMENT = Experiment(
    name="multi_turn",
    question="Do examples of two turns help with the second turn?",
    source="table 3",
    cells=_cells,
    within=("demonstrations",),
)
