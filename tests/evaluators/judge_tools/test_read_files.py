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
        "os.replace(HERE / 'draft', HERE / 'data' / 'cache.json')",
    ],
)
def test_a_cache_that_a_module_keeps_is_none_that_it_depends_on(tmp_path: Path, writes: str) -> None:
    kept = ("pack/cache.json", "pack/cache_a.json", "pack/data/cache.json", "pack/judge.json")
    source = f"def keep(key):\n    {writes}\ndef load(): return HERE / 'words.txt'\n"
    if "path(" in writes:
        source += "def path(key): return HERE / f'cache_{key}.json'\n"
    assert found(tmp_path, source, *kept, "pack/words.txt") == {"pack/words.txt"}


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
        ("f'{HERE}/runs/{key}/config.json'", set()),
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
        ("for name in ('en', 'de'): open(HERE / name / 'words.txt')", {"pack/en/words.txt", "pack/de/words.txt"}),
        ("def load(name): return HERE / DATA / name\nload('words.txt')", {"pack/data/words.txt"}),
        ("from paths import ROOT\nNAMES = list((ROOT / 'en').glob('w*.txt'))", {"pack/en/words.txt"}),
        ("FILES = {'log': 'log.txt', 'en': HERE / 'en' / 'words.txt'}\nopen(FILES['log'], 'a')", {"pack/en/words.txt"}),
    ],
)
def test_a_name_stands_for_what_it_is_bound_to(tmp_path: Path, source: str, files: set[str]) -> None:
    assert found(tmp_path, source, "pack/en/words.txt", "pack/de/words.txt", "pack/data/words.txt") == files


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
    assert [str(folder) for folder in listed] == [str(tmp_path / "pack" / "data")]


def test_a_source_that_makes_names_of_themselves_and_of_thousands_of_parts_is_read(tmp_path: Path) -> None:
    source = f"W = {'+'.join(['HERE'] * 500)}\nfor part in W:\n    W = W + '/' + part\n    V = W + V\n    W = V / W\n"
    assert found(tmp_path, f"{source}open(HERE / 'words.txt')", "pack/words.txt") == {"pack/words.txt"}
