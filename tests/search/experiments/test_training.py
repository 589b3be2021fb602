"""What a model learns of a demonstration."""

import json
from pathlib import Path

import pytest

from configs.schema.data import RenderConfig
from search.experiments.cell import Cell
from search.experiments.many_shot import EXPERIMENT
from search.experiments.setting import Setting
from search.experiments.training import training_examples
from search.prompts.demonstration import Demonstration
from search.prompts.render import UrialRenderer
from search.prompts.urial import FORMS, form_of
from tests.search.experiments.toy import toy_config

ONE = Demonstration("one", "Why?", "So.")
TWO = Demonstration("two", "Why?", "So.", (("And?", "Thus."),))
TAGS: tuple[dict[str, str], ...] = (
    {},
    {"separation_tag": "# Talk"},
    {"separation_tag": "# Talk", "separation_tag_between": "turns"},
)


@pytest.mark.parametrize("template", FORMS)
@pytest.mark.parametrize("tag", TAGS)
def test_every_turn_is_learnt_behind_the_turns_before_it(template: str, tag: dict[str, str]) -> None:
    form = form_of(RenderConfig.model_validate({"template": template} | tag))
    examples = list(training_examples(TWO, UrialRenderer(form)))
    assert [one.id for one in examples] == ["two, turn 1", "two, turn 2"]
    asked = [form.conversation(texts) for texts in (("Why?",), ("Why?", "So.", "And?"))]
    assert [one.prompt for one in examples] == asked
    assert [one.answer for one in examples] == [f"So.{form.closing}", f"Thus.{form.closing}"]
    assert examples[1].prompt + examples[1].answer == form.demonstration(TWO.turns)


@pytest.mark.parametrize("template", FORMS)
def test_a_demonstration_of_one_turn_is_learnt_as_it_is_asked(template: str) -> None:
    form = FORMS[template]
    (example,) = training_examples(ONE, UrialRenderer(form))
    assert (example.id, example.prompt, example.answer) == ("one", form.question("Why?"), f"So.{form.closing}")


def test_sources_of_conversations_take_turns_in_a_stratified_draw(tmp_path: Path) -> None:
    rows = [{"messages": [f"q{n}", "a", "r", "b"], "from": "x" if n < 6 else "y"} for n in range(8)]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pool = {"path": str(tmp_path / "pool.jsonl")}
    many_shot = {"counts": [4], "draws": 1, "source_field": "from"}
    cells = EXPERIMENT.cells(Setting(toy_config(tmp_path, pool=pool, many_shot=many_shot)), {})
    (shown,) = (one.prompt.demonstrations for one in cells if isinstance(one, Cell) and "stratified" in one.name)
    sources = ["x" if int(one.query.removeprefix("q")) < 6 else "y" for one in shown]
    assert sources in (["x", "y"] * 2, ["y", "x"] * 2)
