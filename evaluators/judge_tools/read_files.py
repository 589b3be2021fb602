"""Files that a Python module reads, as far as their names are written out in its source: whole, in parts that are
joined (`HERE / "data" / "words.txt"`, `f"{HERE}/words.txt"`), or as a pattern in its own folder or one that it names
(`HERE.glob("*.txt")`, `HERE / f"words_{name}.txt"`, `glob("lists/*.txt")`).

Left out are those that the module writes itself. Names that it computes cannot be known. A pattern is never looked for
where the run was started: logs, exports and configs of runs lie there.
"""

import ast
import glob
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import filter as matching
from functools import cache
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
_FILE_NAME = re.compile(r"[^\0\1\n]{1,300}")
_FRONT = re.compile(rf"(?:{UNKNOWN}?/)*{UNKNOWN}/+(?=.)")  # a computed folder
_LETTERS = re.compile(r"[^\W_]{2}")
_LARGEST = 2**28  # bytes of a file that is looked at
_MOST_MATCHES = 1000  # of a pattern


def files_read(path: Path) -> dict[str, Path]:
    """Files that a module names, by that name: beside it, or else where the run was started. None that it writes."""
    try:
        tree = ast.parse(path.read_bytes()) if path.suffix == ".py" else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError):
        return {}
    paths = SourcePaths(tree, path)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _writes(node)]
    written = {_last(text) for call in calls for part in _parts(call) for text in paths.texts(part)} - {UNKNOWN}
    files: dict[str, Path] = {}
    for name, file in _named(tree, paths, path.parent, written):
        with suppress(OSError, ValueError):  # a text that is no name of a file
            if file.name not in written and file != path and file.is_file() and file.stat().st_size <= _LARGEST:
                files.setdefault(name, file)
    return files


def _named(tree: ast.AST, paths: SourcePaths, module_folder: Path, written: set[str]) -> Iterator[tuple[str, Path]]:
    """Names of files with where they may lie, whether there are such files or not."""
    names: dict[tuple[str, bool], None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.Call):
            is_pattern = isinstance(node, ast.Call) and called(node) in GLOBS
            names |= dict.fromkeys((_FRONT.sub("", text), is_pattern) for text in paths.texts(node))
    list_once = cache(os.listdir)
    is_written = re.compile("|".join(re.escape(name).replace(UNKNOWN, ".*") for name in written) or r"(?!)").fullmatch
    for text, is_pattern in names:
        is_own = text.startswith(f"{HERE}/")
        name = text[len(HERE) :].lstrip("/") if is_own else text
        if is_pattern or UNKNOWN in name:
            folder, _, last = name.rpartition("/")
            pattern = (last if is_pattern else glob.escape(last)).replace(UNKNOWN, "*")
            is_its = is_own or (folder and not folder.startswith("/"))
            if is_its and UNKNOWN not in folder and (UNKNOWN not in last or _says_which(name)):
                with suppress(OSError, ValueError):  # a folder that is none
                    matches = sorted(matching(list_once(module_folder / folder), pattern))[:_MOST_MATCHES]
                    kept = [file for file in matches if not is_written(file)]
                    yield from ((str(Path(folder, file)), module_folder / folder / file) for file in kept)
        elif _FILE_NAME.fullmatch(name) and Path(name).parts[:2] not in _OF_THE_SYSTEM:
            yield name, module_folder / name
            if not is_own:
                yield name, Path(name).expanduser() if name.startswith("~/") else Path(name)


def _says_which(name: str) -> bool:
    """Whether more than the ending of a file is known."""
    return _last(name) != UNKNOWN and _LETTERS.search(name.removesuffix(Path(name).suffix)) is not None


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
