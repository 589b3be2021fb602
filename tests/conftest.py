"""Hypothesis without deadlines: two shared cores say nothing about speed.

Beside each other (`pytest -n 2`) run whole files, the heavy ones first, since their fixtures are dear, and never two
that start Ray. `--quick` leaves out the files marked `heavy` (Ray, torch, a browser, whole searches), and makes it an
error to load any of these libraries in what is left.
"""

import gc
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("truths", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=25)
settings.load_profile("truths")

_START_RAY = (
    "tests/test_kill.py",
    "experiments/test_training_on_ray.py",
    "ray_cluster/test_jobs.py",
    "ray_cluster/test_workers.py",
    "trackers/test_prometheus.py",
)
_HEAVY_FOLDERS = ("tests/workers/engines", "tests/workers/shared_prefix")
_HEAVY_FILE = re.compile(r"^pytestmark = (\[\s*)?pytest\.mark\.heavy\b", re.MULTILINE)
HEAVY_LIBRARIES = frozenset({"ray", "torch", "transformers", "sentence_transformers", "mlflow", "wandb", "vllm"})


class _NoHeavyLibraries:
    """Refuse to import what quick tests must not need."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in HEAVY_LIBRARIES:
            raise ModuleNotFoundError(f"a quick test loads {fullname}: mark its file `heavy`", name=fullname)
        return None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only tests that need no Ray, torch or browser")


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # until everything is collected: most of what is imported stays
    if config.getoption("--quick"):
        sys.meta_path.insert(0, _NoHeavyLibraries())
        settings.load_profile("quick")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A quick run does not even import the files that say `pytestmark = pytest.mark.heavy`."""
    if not config.getoption("--quick"):
        return None
    if collection_path.is_dir():
        return True if str(collection_path).endswith(_HEAVY_FOLDERS) else None
    return True if collection_path.match("test_*.py") and is_heavy(collection_path) else None


@cache
def is_heavy(path: Path) -> bool:
    """Whether a quick run leaves the whole file out."""
    is_in_folder = any(folder in path.parent.as_posix() for folder in _HEAVY_FOLDERS)
    return is_in_folder or _HEAVY_FILE.search(path.read_text(encoding="utf-8")) is not None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--quick"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("heavy")])
        items[:] = [item for item in items if not item.get_closest_marker("heavy")]
    items.sort(key=lambda item: not is_heavy(item.path))


class _WholeFiles(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a file to one process, and all files that start Ray to the same. xdist's own `loadgroup` does nothing with
    pytest 9.2, whose tests' names cannot be changed any more."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "files that start Ray" if file.endswith(_START_RAY) else file


def pytest_collection_finish() -> None:
    gc.freeze()  # later collections look at what tests make, not at all libraries
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def _frozen_libraries() -> Iterator[None]:
    """Also those that tests import, and after searches, which thaw everything when they end."""
    yield
    gc.collect(1)
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _WholeFiles:
    config.option.loadscopereorder = False  # by their number of tests
    return _WholeFiles(config, log)
