"""The sources that a module of the user's own depends on."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluators.judge_tools.user_module import digests, import_module

HEAD = """from pathlib import Path
FOLDER = Path(__file__).parent
PATH = 'words.txt'
PLACE = FOLDER / PATH
def keep(path):
    open(path, 'a').write('')
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith("um_")]:
        del sys.modules[name]


def _write(folder: Path, **sources: str) -> None:
    for name, source in sources.items():
        path = folder.joinpath(*name.split("__in__")[::-1]).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")


def _names(folder: Path, name: str = "um_judge") -> set[str]:
    import_module(name, folder)
    return set(digests(name))


@pytest.mark.parametrize(
    "statement",
    [
        "import um_helper",
        "import um_helper as other",
        "from um_helper import weight",
        "from um_helper import *",
        "def later():\n    import um_helper",
        "import importlib\ndef later(): return importlib.import_module('um_helper')",
        "def later(): return __import__('um_helper')",
        "try:\n    import um_helper\nexcept ImportError:\n    pass",
        "from importlib import import_module as load\nNAME = 'um_helper'\ndef later(): return load(NAME)",
        "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path(__file__).parent))\nimport um_helper",
        "import importlib as i\nHELPERS = ['um_helper']\ndef later(): return [i.import_module(n) for n in HELPERS]",
    ],
)
def test_every_way_to_import_a_helper_is_seen(folder: Path, statement: str) -> None:
    _write(folder, um_judge=statement, um_helper="weight = 1")
    assert _names(folder) == {"um_judge", "um_helper"}


def test_helpers_of_helpers_are_seen_also_in_a_circle(folder: Path) -> None:
    _write(folder, um_judge="import um_a", um_a="import um_b", um_b="import um_a, um_judge")
    assert _names(folder) == {"um_judge", "um_a", "um_b"}


def test_packages_and_relative_imports_are_seen(folder: Path) -> None:
    _write(folder, **{"um_judge__in__um_package": "from . import near\nfrom .deep import far"})
    _write(folder, **{f"{name}__in__um_package": "" for name in ("__init__", "near", "deep", "unused")})
    (folder / "um_package" / "deep.py").write_text("far = 1", encoding="utf-8")
    names = _names(folder, "um_package.um_judge")
    assert names == {"um_package", "um_package.um_judge", "um_package.near", "um_package.deep"}


def test_helpers_in_folders_without_an_init_file_are_seen(folder: Path) -> None:
    _write(folder, um_judge="import um_space.near.here")
    (folder / "um_space" / "near").mkdir(parents=True)
    (folder / "um_space" / "near" / "here.py").write_text("from um_space import there", encoding="utf-8")
    (folder / "um_space" / "there.py").write_text("weight = 1", encoding="utf-8")
    assert _names(folder) == {"um_judge", "um_space.near.here", "um_space.there"}


def test_installed_packages_the_standard_library_and_demosearch_are_left_out(folder: Path) -> None:
    _write(folder, um_judge="import json, pydantic, pytest\nfrom evaluators.question import Question")
    assert _names(folder) == {"um_judge"}


def test_each_edit_of_a_helper_moves_its_digest_and_no_other(folder: Path) -> None:
    _write(folder, um_judge="import um_helper", um_helper="weight = 1")
    before = digests("um_judge") if import_module("um_judge", folder) else {}
    _write(folder, um_helper="weight = 2")
    after = digests("um_judge")
    assert {name for name in after if after[name] != before[name]} == {"um_helper"}


def test_a_helper_is_read_anew_although_another_of_its_name_was_imported_before(folder: Path) -> None:
    found = []
    for number in (1, 2):
        place = folder / str(number)
        place.mkdir()
        _write(place, um_judge="import um_helper\nweight = um_helper.weight", um_helper=f"weight = {number}")
        found.append(import_module("um_judge", place).weight)
    assert found == [1, 2]


def test_a_helper_that_is_no_python_fails_where_it_is_imported(folder: Path) -> None:
    _write(folder, um_judge="def later():\n    import um_helper", um_helper="oops (")
    assert _names(folder) == {"um_judge", "um_helper"}


@pytest.mark.parametrize(
    "source",
    [
        "WORDS = open('words.txt').read()",
        "from pathlib import Path\ndef later(): return (Path(__file__).parent / 'words.txt').read_text()",
        "import json\nPATH = 'words.txt'\ndef later():\n    with open(PATH, 'rb') as file: return json.load(file)",
        "def later(): exec(open('words.txt').read())",
        "import importlib.util as u\ndef later(): return u.spec_from_file_location('w', 'words.txt')",
    ],
)
def test_each_edit_of_a_file_that_is_read_by_its_name_moves_a_digest(
    folder: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    found = []
    _write(folder, um_judge=source)
    for words in ("1", "1", "2"):
        (folder / "words.txt").write_text(words, encoding="utf-8")
        import_module("um_judge", folder)
        found.append(digests("um_judge"))
    assert found[0] == found[1] != found[2]
    assert set(found[0]) == {"um_judge", "um_judge file words.txt"}


def test_files_of_one_name_in_the_folders_of_two_modules_are_told_apart(folder: Path) -> None:
    read = "from pathlib import Path\nWORDS = (Path(__file__).parent / 'words.txt').read_text()"
    _write(folder, um_judge="import um_a.read, um_b.read", read__in__um_a=read, read__in__um_b=read)
    for package in ("um_a", "um_b"):
        _write(folder, **{f"__init____in__{package}": ""})
        (folder / package / "words.txt").write_text(package, encoding="utf-8")
    before = digests("um_judge") if import_module("um_judge", folder) else {}
    for package in ("um_a", "um_b"):
        (folder / package / "words.txt").write_text("edited", encoding="utf-8")
        after = digests("um_judge")
        assert {name for name in after if after[name] != before[name]} == {f"{package}.read file words.txt"}
        before = after


@pytest.mark.parametrize(
    "writes",
    [
        "open('words.txt', 'a')",
        "open('words.txt', mode='w+')",
        "Path('words.txt').write_text('')",
        "pickle.dump(1, PATH)",
        "shelve.open(PATH)",
        "numpy.savez(FOLDER / 'words.txt', a=1)",
        "print(1, file=open(str(PLACE), 'a'))",
        "keep('words.txt')",
    ],
)
def test_a_file_that_a_module_may_write_itself_is_none_that_it_depends_on(folder: Path, writes: str) -> None:
    (folder / "words.txt").write_text("1", encoding="utf-8")
    _write(folder, um_judge=f"{HEAD}def later():\n    return {writes}")
    assert _names(folder) == {"um_judge"}


@pytest.mark.parametrize(
    "writes",
    [
        "print(1, file=open('log.txt', 'a'))",
        "model.save('log.txt')",
        "sqlite3.connect('log.txt')",
        "keep('log.txt')",
        "json.dump(json.load(open('words.txt')), open('log.txt', 'w'))",
        "numpy.save('log.txt', DATA)",
    ],
)
def test_a_module_that_writes_one_file_depends_on_the_others_that_it_names(folder: Path, writes: str) -> None:
    for name in ("words.txt", "log.txt"):
        (folder / name).write_text("1", encoding="utf-8")
    load = "def load():\n    global DATA\n    DATA = open('words.txt').read()\n"
    head = HEAD.replace("PATH = 'words.txt'", "PATH = 'none.txt'")
    _write(folder, um_judge=f"{load}{head}def later():\n    return {writes}")
    assert _names(folder) == {"um_judge", "um_judge file words.txt"}


def test_files_of_the_system_and_those_that_cannot_be_read_are_left_out(folder: Path) -> None:
    (folder / "link").symlink_to("/proc/self/mem")
    _write(folder, um_judge="MEMORY, PATHS = 'link', ['/proc/cpuinfo', '/sys/kernel/uevent_seqnum']")
    assert _names(folder) == {"um_judge"}
