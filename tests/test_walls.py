"""What may be loaded where."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from search.bench.reading import made_run
from tests.conftest import HEAVY_LIBRARIES, is_heavy
from tests.documents import ROOT
from tests.source_tree import ROOMS

HEAVY = (
    *("ray", "torch", "transformers", "optuna", "openai", "sacrebleu", "datasets", "vllm", "pandas"),
    *("mlflow", "wandb", "tensorboard"),
)


MODULES = (
    "workers.text_model",
    "evaluators.pipeline.evaluator",
    "search.cli.app",
    "search.running.assembly",
    "demosearch",
)
"""From the one that loads least to the one that loads most: a process imports them in turn."""
PROGRAM = f"""
import importlib, sys
for module in {MODULES}:
    importlib.import_module(module)
    print(module, sorted(set({HEAVY}) & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, str]:
    """Heavy libraries, as a list in words, behind each module."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("module", MODULES)
def test_importing_a_room_loads_nothing_heavy(module: str, loaded: dict[str, str]) -> None:
    assert loaded[module] == "[]"


LOOKING = """
import sys
from contextlib import suppress
from search.cli.app import app
for words in (["--help"], ["status", sys.argv[1]], ["list", sys.argv[1]]):
    with suppress(SystemExit):
        app(words)
    print("loaded:", *sys.modules)
"""


def test_a_command_loads_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    made_run(tmp_path / "run", candidates=2, questions=3, rows=9)
    done = subprocess.run(
        [sys.executable, "-c", LOOKING, str(tmp_path / "run")], capture_output=True, text=True, check=True
    )
    help_text, status, runs = [set(line.split()) for line in done.stdout.splitlines() if line.startswith("loaded:")]
    assert help_text & {*HEAVY, "numpy", "scipy", "pydantic", "sqlite3"} == set()
    assert status & {*HEAVY, "asyncio", "yaml", "sklearn", "plotly", "jinja2", "scipy"} == set()
    assert runs & {*HEAVY, "sklearn", "plotly", "scipy"} == set()


@cache
def imported(path: Path) -> frozenset[str]:
    """Heavy libraries that a file loads as soon as it is imported, by itself or by files of this repository."""
    heavy: set[str] = set()
    for module in _imports(ast.parse(path.read_text(encoding="utf-8"))):
        heavy |= HEAVY_LIBRARIES & {module.partition(".")[0]}
        for file in (ROOT / f"{module.replace('.', '/')}.py", ROOT / module.replace(".", "/") / "__init__.py"):
            heavy |= imported(file) if file.is_file() and file != path else set()
    return frozenset(heavy)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_a_test_that_loads_a_heavy_library_is_marked_so_that_quick_runs_leave_it_out() -> None:
    tests = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if not is_heavy(path)]
    assert {str(path.relative_to(ROOT)): imported(path) for path in tests if imported(path)} == {}
    assert imported(ROOT / "tests/workers/finetune/test_examples.py") == {"torch", "transformers"}


def test_folders_import_each_other_one_way_their_loose_files_counted_as_one() -> None:
    graph = grimp.build_graph(*ROOMS, cache_dir=None)
    imports = [(name, other) for name in graph.modules for other in graph.find_modules_directly_imported_by(name)]
    assert cycle(imports) == []


def cycle(imports: Iterable[tuple[str, str]]) -> list[str]:
    """Folders of which each imports the next, and the last is the first again; none where there is no such circle.

    Args:
        imports: pairs of an importing module and an imported one.
    """
    folders = defaultdict[str, set[str]](set)
    for name, other in imports:
        if folder(name) != folder(other):
            folders[folder(name)].add(folder(other))
    try:
        TopologicalSorter(folders).prepare()
    except CycleError as error:
        return [*reversed(error.args[1])]
    return []


def folder(module: str) -> str:
    """Folder of a module; a `__main__.py` is a program, which nothing imports, and counts as a folder of its own."""
    is_own = module.endswith(".__main__") or (ROOT / module.replace(".", "/")).is_dir()
    return module if is_own else module.rpartition(".")[0]


@pytest.mark.parametrize(
    ("imports", "found"),
    [
        ((("search.cli.app", "search.cli.run_commands"), ("search.__main__", "search.cli.app")), []),
        ((("search.cli.app", "search"), ("search.__main__", "search.cli.app")), []),
        (
            (("workers.service.reply", "workers.usage"), ("workers.usage", "workers.service")),
            ["workers", "workers.service"],
        ),
    ],
)
def test_a_circle_of_folders_is_told_of(imports: tuple[tuple[str, str], ...], found: list[str]) -> None:
    assert sorted({*cycle(imports)}) == found
