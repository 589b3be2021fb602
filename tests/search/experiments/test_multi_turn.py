"""The cells of the experiment on two-turn demonstrations, before any model is loaded."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from configs.errors import InputError
from configs.schema.experiment import ExperimentConfig
from configs.schema.experiments import MultiTurnConfig
from search.experiments.cell import Cell, Hole
from search.experiments.multi_turn import EXPERIMENT
from search.experiments.setting import Setting
from search.prompts.render import UrialRenderer
from search.prompts.urial import form_of
from tests.search.experiments.toy import QUICKSTART, toy_config


def entries(config: ExperimentConfig) -> list[Cell | Hole]:
    return list(EXPERIMENT.cells(Setting(config), {}))


def by_name(config: ExperimentConfig) -> dict[str, Cell]:
    return {one.name: one for one in entries(config) if isinstance(one, Cell)}


def named(demonstrations: str, turns: int, tag: str, draw: int | None = None) -> str:
    name = f"demonstrations {demonstrations}, turns {turns}, tag {tag}"
    return name if draw is None else f"{name}, draw {draw}"


def group(**changes: Any) -> dict[str, Any]:
    usual = {
        "pool": {"path": str(QUICKSTART / "two_turn_pool.jsonl"), "id_field": "id"},
        "base_prompt": {"path": str(QUICKSTART / "two_turn_base_prompt.jsonl")},
        "draws": 2,
    }
    return usual | changes


def test_demonstrations_of_one_turn_are_the_first_turns_of_those_of_two(tmp_path: Path) -> None:
    cells = by_name(toy_config(tmp_path))
    assert len(cells) == 5 + 2 * 2 * 4
    for draw in (1, 2):
        one, two = (cells[named("base prompt and 3 drawn", turns, "no", draw)].prompt for turns in (1, 2))
        assert [len(shown.turns) for shown in one.demonstrations] == [1] * 6
        assert [len(shown.turns) for shown in two.demonstrations] == [2] * 6
        assert [shown.turns[0] for shown in two.demonstrations] == [shown.turns[0] for shown in one.demonstrations]
        more = cells[named("base prompt and 6 drawn", 2, "no", draw)].prompt
        assert [shown.texts for shown in more.demonstrations[:3]] == [shown.texts for shown in two.demonstrations[:3]]


def test_the_tag_is_all_that_changes(tmp_path: Path) -> None:
    cells = by_name(toy_config(tmp_path))
    tagged, plain = (cells[named("base prompt", 2, tag)] for tag in ("yes", "no"))
    assert replace(tagged, condition=plain.condition, render=plain.render) == plain
    texts = [
        UrialRenderer(form_of(one.render)).block("", one.prompt.demonstrations, [("Why?", "So.", "And?")]).prompt(0)
        for one in (tagged, plain)
    ]
    assert texts[0].replace("\n# Conversation\n", "") == texts[1]
    assert texts[0].count("\n# Conversation\n") == 4


def test_the_configs_own_tag_is_in_no_cell_without_one(tmp_path: Path) -> None:
    cells = by_name(toy_config(tmp_path, render={"separation_tag": "# Mine"}))
    assert cells[named("base prompt", 1, "no")].render.separation_tag is None
    assert cells[named("base prompt", 1, "yes")].render.separation_tag == "# Conversation"


def test_the_experiments_own_pool_gives_what_has_follow_ups(tmp_path: Path) -> None:
    rows = [
        {"query": f"q{n}", "answer": f"a{n}"} | ({"follow_up_query": "r", "follow_up_answer": "b"} if n else {})
        for n in range(4)
    ]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pool, multi_turn = {"path": str(tmp_path / "pool.jsonl")}, group(pool=None, added=[3], draws=1)
    cells = by_name(toy_config(tmp_path, pool=pool, multi_turn=multi_turn))
    shown = cells[named("base prompt and 3 drawn", 2, "no", 1)].prompt.demonstrations[:3]
    assert {one.query for one in shown} == {"q1", "q2", "q3"}


def test_a_system_message_of_the_experiments_own_pool_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = [{"role": "system", "content": "Be brief."}]
    said += [{"role": role, "content": "So."} for role in ("user", "assistant") * 2]
    (tmp_path / "own.jsonl").write_text(json.dumps({"messages": said}), encoding="utf-8")
    by_name(toy_config(tmp_path, multi_turn=group(pool={"path": str(tmp_path / "own.jsonl")}, added=[1], draws=1)))
    (warning,) = caplog.messages
    assert warning.startswith(f"{tmp_path / 'own.jsonl'}: the system message that all conversations of the pool")


def test_what_stands_in_the_base_prompt_is_not_drawn(tmp_path: Path) -> None:
    own = toy_config(
        tmp_path, multi_turn=group(pool={"path": str(QUICKSTART / "two_turn_base_prompt.jsonl")}, added=[1])
    )
    assert not [one for one in by_name(own) if "drawn" in one]


def test_what_cannot_run_is_a_hole_with_its_reason(tmp_path: Path) -> None:
    config = toy_config(tmp_path, multi_turn=group(base_prompt=None, added=[3, 70], draws=1))
    holes = {one.name: one.reason for one in entries(config) if isinstance(one, Hole)}
    assert holes == {
        named(
            "base prompt", 2, "no"
        ): "no base prompt of two turns: set multi_turn.follow_ups or multi_turn.base_prompt",
        named(
            "base prompt", 2, "yes"
        ): "no base prompt of two turns: set multi_turn.follow_ups or multi_turn.base_prompt",
        **{
            named("base prompt and 70 drawn", turns, tag, 1): (
                "the pool has 64 demonstrations of two turns, 70 are asked for"
            )
            for turns in (1, 2)
            for tag in ("no", "yes")
        },
    }
    (mixed,) = (one for one in entries(config) if one.name == named("base prompt and 3 drawn", 2, "no", 1))
    assert isinstance(mixed, Cell)
    assert [len(shown.turns) for shown in mixed.prompt.demonstrations] == [2, 2, 2, 1, 1, 1]


def _follow_ups(folder: Path, rows: list[dict[str, str]]) -> dict[str, Any]:
    file = folder / "follow_ups.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return group(base_prompt=None, follow_ups=str(file), added=[], draws=1)


def test_second_turns_alone_make_the_base_prompts_two_turn_form(tmp_path: Path) -> None:
    lines = (QUICKSTART / "two_turn_base_prompt.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [{name: text for name, text in json.loads(line).items() if name.startswith("follow_up")} for line in lines]
    alone, whole = (
        by_name(toy_config(tmp_path, multi_turn=multi_turn))[named("base prompt", 2, "no")].prompt
        for multi_turn in (_follow_ups(tmp_path, rows), group(added=[]))
    )
    assert [shown.texts for shown in alone.demonstrations] == [shown.texts for shown in whole.demonstrations]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], "the file has no rows"),
        ([{"follow_up_query": "And?", "follow_up_answer": "So."}], "1 second turn for the base prompt's 3"),
        ([{"follow_up_query": "And?", "follow_up_answer": " "}] * 3, "line 1: a second turn has a query and an answer"),
        ([{"follow_up_query": "And?"}] * 3, "there is no field 'follow_up_answer'"),
        (
            [{"follow_up_query": "And?", "follow_up_answer": "So.\n```\n\n# Query:\n```\nx"}] * 3,
            "cannot hold this turn",
        ),
    ],
)
def test_second_turns_that_do_not_fit_are_refused(rows: list[dict[str, str]], told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=told):
        entries(toy_config(tmp_path, multi_turn=_follow_ups(tmp_path, rows)))


def _two_turns(folder: Path, order: list[int]) -> dict[str, Any]:
    """These of the quickstart's longer demonstrations, in this order."""
    lines = (QUICKSTART / "two_turn_base_prompt.jsonl").read_text(encoding="utf-8").splitlines()
    file = folder / "longer.jsonl"
    file.write_text("".join(lines[at] + "\n" for at in order), encoding="utf-8")
    return group(base_prompt={"path": str(file)}, added=[], draws=1)


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([0, 1], "2 demonstrations of two turns that a prompt can hold, but the base prompt has 3"),
        ([0, 2, 1], "demonstration 2 has another first turn than demonstration 2 of the base prompt"),
    ],
)
def test_a_longer_base_prompt_that_is_not_the_base_prompts_is_refused(
    order: list[int], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        entries(toy_config(tmp_path, multi_turn=_two_turns(tmp_path, order)))


def test_second_turns_from_two_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="base_prompt and follow_ups both"):
        toy_config(tmp_path, multi_turn=group(follow_ups="follow_ups.jsonl"))


def test_a_chat_template_needs_no_tag(tmp_path: Path) -> None:
    made = entries(toy_config(tmp_path, render={"template": "chat"}, multi_turn=group(added=[3], draws=1)))
    holes = [one for one in made if isinstance(one, Hole)]
    assert {one.reason for one in holes} == {"a chat template marks its turns itself"}
    assert {one.condition["tag"] for one in holes} == {"yes"}


def test_a_tag_that_looks_like_a_heading_is_refused() -> None:
    with pytest.raises(ValidationError, match="looks like a heading"):
        MultiTurnConfig(separation_tag="# Answer: none")
