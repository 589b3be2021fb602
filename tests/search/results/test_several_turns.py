"""What people are shown of a demonstration of several turns, and what is written down of those of one."""

import json
from pathlib import Path
from typing import Literal

import pytest

from configs.loading import load_config, load_evaluation
from search.problem.material import Material
from search.problem.material_files import load_material
from search.problem.prompt_variant import load_variants
from search.prompts.demonstration import Demonstration
from search.prompts.render import make_renderer
from search.report.forms import report
from search.results.labels import Labels
from search.view.prompt_text import read_prompt_texts
from tests.search.report.test_findings import finished

TEXTS = ["First query?", "First answer.", "Second query?", "Second answer."]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished search, whose winner's own demonstration has two turns."""
    path = finished(tmp_path).write()
    file = path / "material.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    del content["checksum"]  # of what is no longer its content
    content["pool"] = [[name, *TEXTS] if name == "a" else [name, *texts] for name, *texts in content["pool"]]
    file.write_text(json.dumps(content), encoding="utf-8")
    return path


def places(text: str) -> list[int]:
    """Where the texts stand; -1 for one that is missing."""
    return [text.find(said) for said in TEXTS]


@pytest.mark.parametrize("form", ["md", "html"])
def test_a_report_shows_every_turn_in_order(run: Path, form: Literal["md", "html"]) -> None:
    text = report(run, form)
    text = text[text.index("The chosen demonstrations") :]
    assert -1 not in places(text)
    assert places(text) == sorted(places(text))


def test_the_page_numbers_the_turns(run: Path) -> None:
    page = report(run, "html")
    assert page.count('<p class="label">query, turn 2</p>') == 1
    assert page.count('<p class="label">query</p>') >= 1


def test_the_browser_shows_every_turn_of_a_prompt(run: Path) -> None:
    text = read_prompt_texts(run).text("winner", ["a"])
    assert "\n\n".join(f"{who}: {said}" for who, said in zip(("Query", "Answer") * 2, TEXTS, strict=True)) in text


def test_a_label_says_how_many_turns_there_are() -> None:
    two = Demonstration("a", "First?", "So.", (("And?", "Thus."),))
    labels = Labels(Material("", (), (two, Demonstration("b", "Plain?", "So.")), (), (), {}))
    assert (labels.gist("a"), labels.gist("b")) == ("First? (2 turns)", "Plain?")


def test_what_is_written_of_demonstrations_of_one_turn_is_what_was_written_before_there_were_others() -> None:
    config = load_config("quickstart")
    material = load_material(config, make_renderer(config.render, config.model))
    assert material.digests["base prompt"] == "727e39fa45f97dba"
    assert material.digests["pool"] == "64 demonstrations, 939490fec3b8740c"
    assert {len(row) for row in material.to_json()["pool"]} == {3}
    variants = load_variants(load_evaluation("evaluate_quickstart"))
    assert [one.digest for one in variants] == ["7e2b62ccf7e6e373", "055539df4a0b804c", "9403b8fef5047cae"]
