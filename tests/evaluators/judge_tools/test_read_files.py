"""Files that a module of the user's own reads, by names that are written out in one piece or in several."""

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
