"""Prompts that a model's context cannot hold, told from its files alone."""

from pathlib import Path

import pytest

from configs.schema.data import RenderConfig
from configs.schema.model import ModelConfig
from search.experiments.cell import Cell
from search.experiments.prompt_length import LengthLimit
from search.experiments.setting import EMPTY, Setting
from search.prompts.render import make_renderer
from tests.search.experiments.toy import QUICKSTART, toy_config

pytestmark = pytest.mark.heavy


def _reason(folder: Path, context: int, *asked: tuple[str, ...]) -> str | None:
    model = ModelConfig(name=str(QUICKSTART / "model"), context_tokens=context)
    cell: Cell = Setting(toy_config(folder, decoding={"max_new_tokens": 50})).cell({"n": 0}, EMPTY, model=model)
    return LengthLimit(asked, may_guess=False).reason_against(cell, make_renderer(RenderConfig(), model))


@pytest.mark.parametrize(("context", "fits"), [(110, False), (250, True)])
def test_a_second_turn_needs_room_for_the_first_answer(context: int, fits: bool, tmp_path: Path) -> None:
    assert _reason(tmp_path, context, ("What is it?",)) is None
    reason = _reason(tmp_path, context, ("What is it?", "And why?"))
    assert reason is None if fits else "the longest prompt of turn 2 has" in str(reason)


def test_the_question_that_needs_most_decides_whatever_its_number_of_turns(tmp_path: Path) -> None:
    long, talk = ("word " * 20,), ("What is it?", "And why?")
    assert "prompt of turn 2" in str(_reason(tmp_path, 110, *[long] * 9, talk))
    assert "with 50 new ones more" in str(_reason(tmp_path, 110, ("word " * 300,), *[talk] * 9))
