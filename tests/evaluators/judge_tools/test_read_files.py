"""Files that a module of the user's own reads, by names that are written out in one piece or in several."""

import sys
from pathlib import Path

import pytest

from evaluators.judge_tools.read_files import files_read

HEAD = "import os\nfrom pathlib import Path\nHERE = Path(__file__).parent\nDATA = 'data'\n"


def found(folder: Path, source: str, *files: str) -> set[str]:
    """The names of the files that this module reads, of those that there are."""
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("1", encoding="utf-8")
    module = folder / "pack" / "judge.py"
    module.parent.mkdir(exist_ok=True)
    module.write_text(HEAD + source, encoding="utf-8")
    return {path.resolve().relative_to(folder).as_posix() for path in files_read(module).values()}


@pytest.mark.parametrize(
    ("reads", "file"),
    [
        ("HERE / 'data' / 'words.txt'", "pack/data/words.txt"),
        ("os.path.join(os.path.dirname(__file__), 'data', 'words.txt')", "pack/data/words.txt"),
        ("os.path.dirname(__file__) + '/words.txt'", "pack/words.txt"),
        ("f'{HERE}/words.txt'", "pack/words.txt"),
        ("f'{HERE}/{DATA}/words.txt'", "pack/data/words.txt"),
        ("'%s/words.txt' % HERE", "pack/words.txt"),
        ("'{}/words.txt'.format(HERE)", "pack/words.txt"),
        ("Path(__file__).with_suffix('.json')", "pack/judge.json"),
        ("[HERE / f'words_{name}.txt' for name in ('en', 'de')]", "pack/words_de.txt"),
        ("(HERE / 'lists').glob('*.txt')", "pack/lists/some.txt"),
        ("Path(__file__).parents[1] / 'words.txt'", "words.txt"),
        ("os.path.dirname(os.path.dirname(__file__)) + '/words.txt'", "words.txt"),
        ("HERE / '..' / 'words.txt'", "words.txt"),
        ("files('pack').joinpath('data', 'words.txt')", "pack/data/words.txt"),
    ],
)
def test_a_file_is_found_however_its_name_is_put_together(tmp_path: Path, reads: str, file: str) -> None:
    assert found(tmp_path, f"def later(): return {reads}", file, "unnamed.txt", "pack/unnamed.md") == {file}


@pytest.mark.parametrize(
    "writes",
    [
        "open(f'{HERE}/cache.json', 'w')",
        "open(HERE / f'cache_{key}.json', 'w')",
        "(HERE / 'data' / 'cache.json').write_text('')",
        "Path(__file__).with_suffix('.json').write_text('')",
        "path(key).write_text('')",
        "open(HERE / 'data' / 'cache.json', 'w'), open(HERE / f'{key}{key}', 'w'), open(HERE / f'{key}.{key}', 'w')",
        "os.replace(HERE / 'draft', HERE / 'data' / 'cache.json')",
    ],
)
def test_a_cache_that_a_module_keeps_is_none_that_it_depends_on(tmp_path: Path, writes: str) -> None:
    kept = ("pack/cache.json", "pack/cache_a.json", "pack/data/cache.json", "pack/judge.json")
    source = f"def keep(key):\n    {writes}\ndef load(): return HERE / 'words.txt'\n"
    if "path(" in writes:
        source += "def path(key): return HERE / f'cache_{key}.json'\n"
    assert found(tmp_path, source, *kept, "pack/words.txt") == {"pack/words.txt"}


@pytest.mark.parametrize(
    "source",
    [
        "FILES = {'en': 'en.txt'}\ndef read(key): return HERE / 'data' / FILES[key]",
        "FILES = {'en': 'en.txt'}\ndef read(key): return os.path.join(HERE, 'data', FILES.get(key))",
        "FILES = {'en': 'en.txt'}\nfor key, name in FILES.items(): open(HERE / 'data' / name)",
        "for key, name in [('en', 'en.txt')]: open(HERE / 'data' / name)",
        "class Lang:\n    EN = 'en.txt'\ndef read(lang): return HERE / 'data' / lang.value",
        "def read(name): return HERE / 'data' / name\nALL = list(map(read, ('en.txt',)))",
        "read = lambda name: HERE / 'data' / name\nread('en.txt')",
        "def read(name, /): return HERE / 'data' / name\nread('en.txt')",
        "def read(is_en): return HERE / 'data' / ('en.txt' if is_en else 'de.txt')",
        "def read(name): return HERE / 'data' / (name or 'en.txt')",
        "def read(): return HERE / 'data' / 'en.txt '.strip()",
        "def read(): return os.path.expanduser(os.sep.join([str(HERE), 'data', 'en.txt']))",
        "def read(): return '/'.join(['data', 'en.txt'])",
        "PLACE = ('data', 'en.txt')\ndef read(): return HERE.joinpath(*PLACE)",
        "PLACE = HERE\nPLACE /= 'data'\ndef read(): return PLACE / 'en.txt'",
        "PLACE, LEVEL = HERE / 'data', 1\ndef read(): return PLACE / 'en.txt'",
        "PLACE = Path(os.environ.get('PLACE', HERE / 'data'))\ndef read(): return PLACE / 'en.txt'",
        "os.chdir(HERE / 'data')\ndef read(): return open('en.txt')",
        f"for name in {[f'{number}.txt' for number in range(40)] + ['en.txt']}: open(HERE / 'data' / name)",
        "ROOT = Path(__file__).parents[1]\ndef read(key): return ROOT / 'pack' / 'data' / {'en': 'en.txt'}[key]",
        "def read(key): return f'{HERE}/data/{key}/words.txt'",
        "def read(key): return HERE / 'data' / key / 'words.txt'",
        "def read(): return (HERE / 'data').rglob('w*.txt')",
        "def read(): return glob('data/**/w*.txt', recursive=True)",
        "def read(): return (HERE / ('data' if os.name else 'lists')).glob('e*.txt')",
        "PLACE = Path(os.environ.get('PLACE', HERE / 'data'))\ndef read(): return PLACE.glob('e*.txt')",
        "def load(folder, /): return folder.glob('e*.txt')\nload(HERE / 'data')",
    ],
)
def test_what_a_module_says_of_a_file_need_not_be_said_in_one_expression(tmp_path: Path, source: str) -> None:
    wanted = "pack/data/english/words.txt" if "w*" in source or "words" in source else "pack/data/en.txt"
    assert found(tmp_path, source, wanted, "pack/other/en.txt", "pack/other/english/words.txt") == {wanted}


def test_a_name_of_many_computed_parts_in_a_row_takes_no_longer_than_one(tmp_path: Path) -> None:
    parts = "".join(f"{{x{number}}}" for number in range(30))
    source = f"open(HERE / f'{parts}.txt', 'w')\nopen(HERE / f'{parts.replace('}{', '}-{')}.txt', 'w')\n"
    name = f"pack/{'a-number-' * 20}.json"
    assert found(tmp_path, f"{source}HERE.glob('*.json')", name) == {name}


OUTPUT = ("pack/log.txt", "pack/best.txt", "pack/best.json", "pack/runs/first/config.json", "log.txt", "lists/more.txt")


@pytest.mark.parametrize("start", ["pack", "."])
@pytest.mark.parametrize(
    ("reads", "files"),
    [
        ("(HERE / 'lists').glob('*.txt')", {"pack/lists/some.txt"}),
        ("glob(str(HERE / 'lists' / '*.txt')), answer.replace('*', ''), '%s' % answer", {"pack/lists/some.txt"}),
        ("glob('lists/*.txt')", {"pack/lists/some.txt"}),
        ("Path(os.environ['LISTS']).glob('*.txt')", set()),
        ("open(f'{key}.json')", set()),
        ("HERE / f'{key}.json'", set()),
        ("HERE.glob(answer), HERE.glob(f'{answer}*.txt')", set()),
        ("HERE / 'lists' / f'{key}.txt'", {"pack/lists/some.txt"}),
        ("f'{HERE}/{key}/first/config.json', HERE / key / '*' / 'config.json'", set()),
        ("HERE.rglob('b*.json'), HERE.rglob('c*.json')", {"pack/best.json"}),
        ("glob(f'{HERE}/**/c*.json', recursive=True), glob('**/c*.json', recursive=True)", set()),
        ("print('{}.txt'.format(answer), f'best{answer}.txt')", set()),
    ],
)
def test_what_a_run_writes_where_it_was_started_is_none_that_a_judge_depends_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str, reads: str, files: set[str]
) -> None:
    (tmp_path / "pack").mkdir()
    monkeypatch.chdir(tmp_path / start)
    assert found(tmp_path, f"def later(key, answer): return {reads}", "pack/lists/some.txt", *OUTPUT) == files


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("for name in ('en', 'de'): list((HERE / name).glob('w*.txt'))", {"pack/en/words.txt", "pack/de/words.txt"}),
        ("def load(folder): return folder.glob('l*.txt')\nload(HERE / DATA)", {"pack/data/list.txt"}),
        ("from paths import ROOT\nNAMES = list((ROOT / 'en').glob('w*.txt'))", {"pack/en/words.txt"}),
        ("FILES = {'log': 'log.txt', 'en': HERE / 'en' / 'words.txt'}\nopen(FILES['log'], 'a')", {"pack/en/words.txt"}),
    ],
)
def test_a_name_stands_for_what_it_is_bound_to(tmp_path: Path, source: str, files: set[str]) -> None:
    assert found(tmp_path, source, "pack/en/words.txt", "pack/de/words.txt", "pack/data/list.txt") == files


def test_a_folder_is_listed_once_however_many_patterns_name_it(tmp_path: Path) -> None:
    listed: list[object] = []
    is_counted = True

    def count(event: str, arguments: tuple[object, ...]) -> None:
        if is_counted and event in ("os.listdir", "os.scandir"):
            listed.extend(arguments)

    source = "".join(f"W{i} = [HERE / 'data' / f'words{i}_{{key}}.txt' for key in KEYS]\n" for i in range(20))
    sys.addaudithook(count)
    try:
        assert found(tmp_path, source, "pack/data/words7_a.txt") == {"pack/data/words7_a.txt"}
    finally:
        is_counted = False
    assert sorted(map(str, listed)) == [str(tmp_path / "pack"), str(tmp_path / "pack" / "data")]


def test_a_source_that_makes_names_of_themselves_and_of_thousands_of_parts_is_read(tmp_path: Path) -> None:
    source = f"W = {'+'.join(['HERE'] * 500)}\nfor part in W:\n    W = W + '/' + part\n    V = W + V\n    W = V / W\n"
    assert found(tmp_path, f"{source}open(HERE / 'words.txt')", "pack/words.txt") == {"pack/words.txt"}
