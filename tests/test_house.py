"""The source tree keeps the shape that docs/architecture.md draws."""

import ast
import re

import pytest

from tests.documents import ROOT, blocks
from tests.house import House, measure
from tests.source_messages import Message, messages
from tests.source_tree import ROOMS

MOST_FILE, MOST_FUNCTION, FEWEST_MODULES = 300, 50, 3


@pytest.fixture(scope="module")
def house() -> House:
    return measure()


def test_no_file_is_longer_than_300_lines(house: House) -> None:
    assert {name: lines for name, lines in house.files.items() if lines > MOST_FILE} == {}


def test_no_function_is_longer_than_50_lines(house: House) -> None:
    assert {name: lines for name, lines in house.functions.items() if lines > MOST_FUNCTION} == {}


def test_no_two_public_classes_have_one_name(house: House) -> None:
    assert house.repeated_classes == {}


def test_every_docstring_opens_with_a_sentence_that_stands_alone(house: House) -> None:
    assert house.openings == []


def test_every_message_is_one_sentence_without_a_full_stop() -> None:
    said = messages()
    assert len(said) > 500, "errors, log lines and notes were not found"
    assert [fault for message in said for fault in message.faults()] == []


@pytest.mark.parametrize(
    "text", ["a.jsonl: not JSON; fix it.", "it was lost. Start it again", "There is no run here", "{} is missing. "]
)
def test_a_message_of_another_form_is_seen(text: str) -> None:
    assert Message("a.py:1", text).faults()


def test_search_has_no_loose_files(house: House) -> None:
    assert house.folders["search"] == 1, "only __main__.py"


def test_a_folder_holds_three_modules_or_more(house: House) -> None:
    free = {*ROOMS, "workers/engines"}  # a room may be all folders; an engine is a file, however few there are
    assert {name: n for name, n in house.folders.items() if n < FEWEST_MODULES and name not in free} == {}


@pytest.mark.parametrize("room", ROOMS)
def test_every_package_says_in_a_sentence_what_it_holds(room: str) -> None:
    packages = (ROOT / room).rglob("__init__.py")
    silent = [path for path in packages if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


def test_contributing_names_files_that_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "NAME.py" in line]
    assert len(rows) == 7
    paths = {path for row in rows for path in re.findall(r"`([\w/]+(?:\.py|/))`", row)}
    assert {path for path in paths if not [*ROOT.glob(path.replace("NAME", "*"))]} == set()


def test_the_strategy_that_the_docs_show_needs_the_public_interface_alone() -> None:
    pages = [block for block in blocks("python") if block.page.endswith("strategies.md")]
    shown = [block.text for block in pages if re.search(r"^ +def ask\(", block.text, re.MULTILINE)]
    assert shown
    nodes = [node for text in shown for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    modules = {node.module or "" for node in nodes}
    assert {module for module in modules if module.partition(".")[0] in (*ROOMS, "demosearch")} == {"demosearch"}
