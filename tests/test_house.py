"""The source tree keeps the shape that docs/architecture.md draws."""

import ast
import re

import pytest

from configs.schema.trackers import TrackersConfig
from evaluators.judges.table import JUDGES
from search.cli.status_table import STATES
from search.experiments.catalogue import EXPERIMENTS
from search.export.writers import WRITERS
from tests.documents import ROOT, blocks, fault_rows
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


def test_what_a_docstring_explains_is_there(house: House) -> None:
    assert house.unknown_arguments == []


def test_no_name_is_vague_or_a_word_of_our_own(house: House) -> None:
    assert house.vague_names == []


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


CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROWS = {
    line.split("|")[1].strip(): line for line in CONTRIBUTING.splitlines() if line.startswith("|") and "NAME" in line
}


def siblings(kind: str) -> set[str]:
    """Names of the modules that are there of a kind of thing to add."""
    match kind:
        case "judge":
            return {*JUDGES}
        case "export format":
            return {write.__module__.rpartition(".")[2] for write in WRITERS.values()}
        case "tracker":
            return {*TrackersConfig.model_fields}
        case "experiment":
            return {*EXPERIMENTS}
        case "strategy" | "benchmark" | "engine":
            folder = {
                "strategy": "search/strategies",
                "benchmark": "evaluators/benchmarks",
                "engine": "workers/engines",
            }
            modules = {path.stem for path in (ROOT / folder[kind]).glob("*.py")}
            return modules - {"__init__", "strategy", "make"}
    raise AssertionError(f"CONTRIBUTING.md has a row about {kind}: say here what there is of that")


@pytest.mark.parametrize("kind", ROWS)
def test_every_thing_that_can_be_added_lies_in_the_files_that_contributing_names(kind: str) -> None:
    paths = re.findall(r"`([\w/]+\.py)`", ROWS[kind])
    assert len(paths) >= 3
    for name in siblings(kind):
        assert [path for path in paths if not (ROOT / path.replace("NAME", name)).is_file()] == [], name
        tables = re.findall(r"`([\w/]+\.py)`", ROWS[kind].split("|")[4])
        named = [re.search(rf"\b{name}\b", (ROOT / table).read_text(encoding="utf-8")) for table in tables]
        assert any(named), f"{tables} does not name {name}"


def test_the_strategy_that_the_docs_show_needs_the_public_interface_alone() -> None:
    pages = [block for block in blocks("python") if block.page.endswith("strategies.md")]
    shown = [block.text for block in pages if re.search(r"^ +def ask\(", block.text, re.MULTILINE)]
    assert shown
    nodes = [node for text in shown for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    modules = {node.module or "" for node in nodes}
    assert {module for module in modules if module.partition(".")[0] in (*ROOMS, "demosearch")} == {"demosearch"}


def test_a_message_quoted_in_the_tables_of_faults_is_the_one_that_is_printed() -> None:
    printed = [*(message.text.replace("{}", "...") for message in messages()), *STATES.values()]
    quoted = [words for row in fault_rows() for words in re.findall(r'"([^"]+)"', row.split(" | ")[1])]
    assert len(quoted) >= 10
    assert [words for words in quoted if not any(words in message for message in printed)] == []
