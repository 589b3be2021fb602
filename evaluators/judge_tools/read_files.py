"""Files that a Python module reads, as far as their names are written out in its source: whole, in parts that are
joined (`HERE / "data" / "words.txt"`, `f"{HERE}/words.txt"`), apart (`HERE / "data" / FILES[name]`), or as a pattern in
its own folder or one that it names (`HERE.glob("*.txt")`, `HERE / f"words_{name}.txt"`, `glob("lists/**/*.txt")`).

Every word that is written out may name a file or a folder, in the module's folder and in those that are named below it;
what it is joined to is followed for patterns, which would find too much elsewhere. Left out are files that the module
writes itself. Names that it computes cannot be known. A pattern is never looked for where the run was started: logs,
exports and configs of runs lie there.
"""

import ast
import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fnmatch import filter as matching
from fnmatch import translate
from functools import cache
from itertools import islice, takewhile
from pathlib import Path

from evaluators.judge_tools.source_paths import GLOBS, HERE, UNKNOWN, SourcePaths, called

_WRITERS = frozenset(
    {
        "write_text",
        "write_bytes",
        "dump",
        "save",
        "savetxt",
        "savez",
        "savez_compressed",
        "savefig",
        "to_csv",
        "to_json",
        "to_parquet",
        "to_pickle",
        "connect",
        "FileHandler",
        "RotatingFileHandler",
        "basicConfig",
        "rename",
        "copy",
        "copy2",
        "copyfile",
        "move",
    }
)
_DATABASES = frozenset({"shelve", "dbm"})
_OF_THE_SYSTEM = frozenset({("/", "proc"), ("/", "sys"), ("/", "dev")})
_WRITING_MODE = re.compile(r"[rwaxbt+]*[wax+][rwaxbt+]*")
_NAME = re.compile(r"[^\1\n]{1,300}")
_FRONT = re.compile(rf"\A(?:{UNKNOWN}?/)*{UNKNOWN}/+(?=.)")  # a computed folder
_LETTERS = re.compile(r"[^\W_]{2}")
_LARGEST = 2**28  # bytes of a file that is looked at
_MOST_MATCHES = 1000  # of a pattern
_MOST_FOLDERS = 200  # in which a pattern, or the names of a module, are looked for

_Listed = Callable[[Path], dict[str, bool]]


def files_read(path: Path) -> dict[str, Path]:
    """Files that a module names, by that name: beside it, in folders that it names there, or else where the run was
    started. None that it writes."""
    try:
        tree = ast.parse(path.read_bytes()) if path.suffix == ".py" else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError):
        return {}
    paths = SourcePaths(tree, path)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _writes(node)]
    written = {_last(text) for call in calls for part in _parts(call) for text in paths.texts(part)}
    patterns = [translate(_wild(glob.escape(name))) for name in written if any(map(str.isalnum, name))]
    is_written = re.compile("|".join(patterns) or r"(?!)").match
    files: dict[str, Path] = {}
    for name, file in _named(dict.fromkeys(_texts(tree, paths)), path.parent):
        with suppress(OSError, ValueError):  # a text that is no name of a file
            is_other = not is_written(file.name) and file.is_file() and not file.samefile(path)
            if is_other and file.stat().st_size <= _LARGEST:
                files.setdefault(name, file)
    return files


def _texts(tree: ast.AST, paths: SourcePaths) -> Iterator[tuple[str, bool]]:
    """Texts that may name files or folders, each with whether it is a pattern."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.Call) and id(node) not in inside:
            is_pattern = isinstance(node, ast.Call) and called(node) in GLOBS
            yield from ((_FRONT.sub("", text), is_pattern) for text in paths.texts(node))


def _named(texts: Iterable[tuple[str, bool]], module_folder: Path) -> Iterator[tuple[str, Path]]:
    """Names of files with where they may lie, whether there are such files or not."""
    listed = cache(_listed)
    words: set[str] = set()
    starts = {""}
    for text, is_pattern in texts:
        is_own = text.startswith(f"{HERE}/")
        name = text[len(HERE) :].lstrip("/") if is_own else text
        if not _NAME.fullmatch(name):
            continue
        parts = [part for part in name.split("/") if part not in ("", ".")]
        words.update(part.strip() for part in parts)
        starts.add("../" * sum(1 for _ in takewhile("..".__eq__, parts)))
        if is_pattern or UNKNOWN in name:
            if parts and (is_own or (len(parts) > 1 and not name.startswith("/"))):
                wanted = parts[1:] if is_own and parts[0] == "**" else parts
                names = _alike([part if is_pattern else glob.escape(part) for part in wanted], module_folder, listed)
                yield from ((file, module_folder / file) for file in names)
        elif Path(name).parts[:2] not in _OF_THE_SYSTEM:
            yield name, module_folder / name
            if not is_own:
                yield name, Path(name).expanduser() if name.startswith("~/") else Path(name)
    names = _in_named_folders(words - {".."}, sorted(starts), module_folder, listed)
    yield from ((file, module_folder / file) for file in names)


def _in_named_folders(words: set[str], folders: list[str], module_folder: Path, listed: _Listed) -> Iterator[str]:
    """Files in these folders that are called by one of the words, and in folders below that are called so."""
    for folder in folders:  # more come while they are gone through
        entries = listed(module_folder / folder)
        for name in sorted(words.intersection(entries)):
            if not entries[name]:
                yield f"{folder}{name}"
            elif len(folders) < _MOST_FOLDERS:
                folders.append(f"{folder}{name}/")


def _alike(parts: list[str], module_folder: Path, listed: _Listed) -> Iterator[str]:
    """Files that are called by a pattern, or by a name of which parts are computed. Other folders than those that are
    named are gone through only below one that is named: beside the module runs may lie."""
    *folders, last = parts
    first = next((part for part in folders if part != ".."), "*")
    if (_is_wild(first) and any(map(_is_wild, folders))) or (UNKNOWN in last and not _says_which(parts)):
        return iter(())
    places = [""]
    for part in folders:
        if part == "**":
            for place in places:  # more come while they are gone through
                room = max(0, _MOST_FOLDERS - len(places))
                places += [f"{place}{name}/" for name in _folders(module_folder / place, listed)[:room]]
        elif _is_wild(part):
            inner = [(place, matching(_folders(module_folder / place, listed), _wild(part))) for place in places]
            places = [f"{place}{name}/" for place, names in inner for name in names][:_MOST_FOLDERS]
        else:
            places = [f"{place}{part}/" for place in places]
    alike = ((place, sorted(matching(listed(module_folder / place), _wild(last)))) for place in places)
    return islice((f"{place}{name}" for place, names in alike for name in names), _MOST_MATCHES)


def _listed(folder: Path) -> dict[str, bool]:
    """What lies in a folder, by its name, and whether it is a folder itself; nothing where there is no such folder."""
    with suppress(OSError, ValueError, RuntimeError):  # no folder, no name of one, links in a circle
        if folder.resolve().parts[:2] in _OF_THE_SYSTEM:
            return {}
        return {entry.name: entry.is_dir() for entry in os.scandir(folder)}
    return {}


def _folders(folder: Path, listed: _Listed) -> list[str]:
    names = (name for name, is_folder in listed(folder).items() if is_folder)
    return sorted(name for name in names if not name.startswith(".") and name != "__pycache__")


def _wild(name: str) -> str:
    """The pattern of a name of which parts are computed."""
    return name.replace(UNKNOWN, "*")


def _is_wild(part: str) -> bool:
    return UNKNOWN in part or glob.has_magic(part)


def _says_which(parts: list[str]) -> bool:
    """Whether more than the ending of a file is known."""
    return parts[-1] != UNKNOWN and _LETTERS.search("/".join(parts).removesuffix(Path(parts[-1]).suffix)) is not None


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _parts(call: ast.Call) -> list[ast.expr]:
    """Arguments of a call, and what its method is called on."""
    on = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    return [*on, *call.args, *(keyword.value for keyword in call.keywords)]


def _writes(call: ast.Call) -> bool:
    if called(call) == "replace":  # of a file; a text has two arguments
        return len(call.args) == 1 or getattr(getattr(call.func, "value", None), "id", "") == "os"
    if called(call) != "open":
        return called(call) in _WRITERS
    on = call.func.value if isinstance(call.func, ast.Attribute) else None
    if getattr(on, "id", "") in _DATABASES:
        return True
    modes = [*(call.args if on else call.args[1:]), *(keyword.value for keyword in call.keywords)]
    texts = [getattr(node, "value", None) for mode in modes for node in ast.walk(mode)]
    return any(isinstance(text, str) and _WRITING_MODE.fullmatch(text) for text in texts)
