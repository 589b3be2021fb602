"""The package that is published: built from the files that git knows, and run where the repository is not."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from email import message_from_string
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.heavy

ROOT = Path(__file__).parents[1]
ROOMS = ("search", "evaluators", "workers", "configs")
CONSTRAINTS = ROOT / "configs" / "constraints.txt"


def files() -> list[str]:
    """Those of the repository that git tracks, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built in a copy, where no earlier build has left anything."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in files():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    code = f"from setuptools.build_meta import build_wheel; build_wheel({str(built)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "absent from the `packages` configuration" not in done.stderr
    (made,) = built.iterdir()
    return made


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def metadata(wheel: Path, names: Sequence[str]) -> Message:
    (place,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    with ZipFile(wheel) as archive:
        return message_from_string(archive.read(place).decode())


def test_the_wheel_holds_the_four_rooms_and_the_module_of_its_name_alone(
    names: Sequence[str],
) -> None:
    packaged = {name for name in names if ".dist-info/" not in name}
    assert packaged == {name for name in files() if name.partition("/")[0] in (*ROOMS, "demosearch.py")}


def test_every_room_says_that_it_is_typed(names: Sequence[str]) -> None:
    assert {f"{room}/py.typed" for room in ROOMS} <= set(names)


def test_the_licence_goes_with_the_wheel(names: Sequence[str], metadata: Message) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_command_is_installed(wheel: Path, names: Sequence[str]) -> None:
    (place,) = (name for name in names if name.endswith("/entry_points.txt"))
    with ZipFile(wheel) as archive:
        assert "demosearch = search.cli.start:main" in archive.read(place).decode()


def test_the_page_of_the_index_is_the_readme(metadata: Message) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")
    assert metadata["Version"]
    assert len(metadata["Summary"]) < 512


def test_the_python_that_runs_this_is_one_that_the_classifiers_name(metadata: Message) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"Programming Language :: Python :: {version}" in metadata.get_all("Classifier", [])
    assert version in SpecifierSet(metadata["Requires-Python"])


def test_the_tested_version_of_every_requirement_is_one_that_it_allows(metadata: Message) -> None:
    pins = map(Requirement, CONSTRAINTS.read_text(encoding="utf-8").split())
    tested = {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in pins}
    needed = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    assert {canonicalize_name(one.name) for one in needed if one.marker is None} <= tested.keys()
    for one in needed:
        pinned = tested.get(canonicalize_name(one.name))
        assert pinned is None or pinned in one.specifier, one


def test_a_served_model_needs_no_extra(metadata: Message) -> None:
    base = {Requirement(line).name for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line}
    assert "openai" in base
    assert not {"pytest", "jupyterlab", "sentence-transformers"} & base


def demosearch(home: Path, *words: str) -> str:
    command = [str(home / "environment" / "bin" / "demosearch"), *words]
    done = subprocess.run(command, cwd=home / "elsewhere", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_wheel_runs_the_whole_quickstart_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "environment"], check=True)
    pip = [str(tmp_path / "environment" / "bin" / "python"), "-m", "pip", "install", "-q", "-c", str(CONSTRAINTS)]
    subprocess.run([*pip, "torch"], check=True)
    subprocess.run([*pip, str(wheel)], check=True)
    (tmp_path / "elsewhere").mkdir()
    demosearch(tmp_path, "run", "quickstart", "--run-dir", "runs/first")
    status = json.loads(demosearch(tmp_path, "status", "runs/first", "--json"))
    assert status["state"] == "finished"
    assert status["held_out_gain"]["low"] > 0
    demosearch(tmp_path, "export", "runs/first", "-o", "best.txt")
    demosearch(tmp_path, "report", "runs/first", "-o", "report.html")
    assert "# Query:" in (tmp_path / "elsewhere" / "best.txt").read_text(encoding="utf-8")
    assert "</html>" in (tmp_path / "elsewhere" / "report.html").read_text(encoding="utf-8")
    assert "quickstart" in demosearch(tmp_path, "run", "--help")


@pytest.mark.timeout(240)
def test_files_of_a_user_that_are_called_as_our_rooms_break_neither_command_nor_ray_workers(
    wheel: Path, tmp_path: Path
) -> None:
    """Takes a Ray cluster: its workers, started in the user's folder, would import what lies there."""
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    home = tmp_path / "home"
    for room in ROOMS[1:]:
        (home / room).mkdir(parents=True)
        (home / room / "__init__.py").write_text("raise SystemExit('a module of the user is imported')")
    (home / "search.py").write_text("raise SystemExit('a module of the user is imported')")
    code = "from search.cli.start import main; main()"  # as the installed script does, whose folder stands first
    knobs = ["strategy={kind: random, trials: 1, insert: back}", "workers.count=1", "decoding.max_new_tokens=4"]
    words = ["run", "quickstart", "--run-dir", "runs/first", *(word for knob in knobs for word in ("--set", knob))]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "installed"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-c", code, *words]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "a module of the user" not in done.stderr
    assert (home / "runs" / "first" / "journal.jsonl").exists()
