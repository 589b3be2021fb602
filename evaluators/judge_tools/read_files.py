"""Files that a Python module reads, as far as their names are written out in its source: whole, in parts that are
joined (`HERE / "data" / "words.txt"`, `f"{HERE}/words.txt"`), or as a pattern (`glob("*.txt")`, `f"words_{name}.txt"`).

Left out are those that the module writes itself. Names that it computes cannot be known.
"""

import ast
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import islice, product
from pathlib import Path

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
_MAKE_PATHS = frozenset(
    {"Path", "PurePath", "joinpath", "join", "with_name", "with_suffix", "resolve", "absolute", "str", "expanduser"}
)
_GLOBS = frozenset({"glob", "iglob", "rglob"})
_OF_THE_SYSTEM = frozenset({("/", "proc"), ("/", "sys"), ("/", "dev")})
_WRITING_MODE = re.compile(r"[rwaxbt+]*[wax+][rwaxbt+]*")
_FILE_NAME = re.compile(r"[^\0\n]{1,300}")
_PLACEHOLDER = re.compile(r"%s|\{\w*\}")
_FRONT = re.compile(r"(?:\*?/)+(?=.)")  # of a name that stands behind a folder: f"{HERE}/words.txt"
_SAYS_WHICH = re.compile(r"[^/]*[^\W_]{2}[^/]*\.?[^/]*")  # a name of which more than the ending is known
_LARGEST = 2**28  # bytes of a file that is looked at
_MOST_FOLDERS = 50
_MOST_MATCHES = 1000  # of a pattern
_DEEPEST = 3  # folders that are joined


def files_read(path: Path) -> dict[str, Path]:
    """Files that a module names, by that name: in its folder, where the run was started, and in folders that it names
    as well. None that it writes."""
    try:
        tree = ast.parse(path.read_bytes()) if path.suffix == ".py" else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError):
        return {}
    written = _written(tree)
    written |= {f"{path.stem}{text}" for text in written if text.startswith(".")}
    names = [name for name in dict.fromkeys(_names(tree, path)) if _FILE_NAME.fullmatch(name) and name not in written]
    names = [name for name in names if Path(name).parts[:2] not in _OF_THE_SYSTEM]
    files: dict[str, Path] = {}
    for folder, shown in _folders(path, tree, names):
        for name in names:
            with suppress(OSError, ValueError, NotImplementedError):  # a text that is no name of a file
                for file in _matching(folder, name):
                    if file.is_file() and file.stat().st_size <= _LARGEST and file.name not in written:
                        known_as = str(file.relative_to(folder)) if "*" in name else name
                        files.setdefault(f"{shown}{known_as}", file)
    return files


def _names(tree: ast.AST, path: Path) -> Iterator[str]:
    """Names of files and folders, and patterns, as far as they are written out."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    globs = any(isinstance(node, ast.Call) and _called(node) in _GLOBS for node in ast.walk(tree))
    for node in ast.walk(tree):
        text = None if id(node) in inside else _text(node)
        if text is not None:
            yield from _forms(text, may_glob=globs and isinstance(node, ast.Constant))
        if isinstance(node, ast.Call) and _called(node) == "with_suffix" and _is_beside(node):
            yield from (f"{path.stem}{suffix}" for part in node.args if (suffix := _text(part)))


def _forms(text: str, *, may_glob: bool) -> Iterator[str]:
    """A text as it is, and as the end of a name."""
    end = _FRONT.sub("", text, count=1) if _FRONT.match(text) else text
    for name in dict.fromkeys((text, end)):
        if "*" not in name or may_glob or _SAYS_WHICH.fullmatch(name.rpartition("/")[2].replace("*", "")):
            yield name


def _text(node: ast.AST) -> str | None:
    """A text, with an asterisk for whatever is put into it; None where it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _PLACEHOLDER.sub("*", node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "*" for part in node.values]
        return "".join(map(str, parts))
    return None


def _folders(path: Path, tree: ast.AST, names: Collection[str]) -> Iterator[tuple[Path, str]]:
    """Folders in which a name may be meant, each with what stands before the names of its files."""
    ups = range(1, min(_levels_up(tree), len(path.parents)))
    packages = [folder for folder in path.parents[1:6] if folder.name in names]
    folders = [(path.parent, ""), (Path(), ""), *((path.parents[up], "../" * up) for up in ups)]
    folders += [(folder, f"{folder.name}/") for folder in packages]
    seen = {folder for folder, _ in folders}
    begin = 0
    for _ in range(_DEEPEST):
        latest, begin = folders[begin:], len(folders)
        for (folder, shown), name in product(latest, names):
            inner = folder / name
            if name in (".", "/") or "*" in name or inner in seen or len(folders) >= _MOST_FOLDERS:
                continue
            with suppress(OSError, ValueError):
                if inner.is_dir():
                    seen.add(inner)
                    folders.append((inner, f"{shown}{name}/"))
    yield from folders


def _levels_up(tree: ast.AST) -> int:
    """How many folders above its file a module reaches: 1 is its own."""
    levels = 1
    for node in ast.walk(tree):
        depth, inner = 0, node
        while (isinstance(inner, ast.Attribute) and inner.attr == "parent") or (
            isinstance(inner, ast.Call) and _called(inner) == "dirname" and inner.args
        ):
            depth, inner = depth + 1, inner.value if isinstance(inner, ast.Attribute) else inner.args[0]
        if isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "parents":
            place = getattr(node.slice, "value", 0)
            depth = place + 1 if isinstance(place, int) else 1
        levels = max(levels, depth)
    return levels


def _matching(folder: Path, name: str) -> Iterator[Path]:
    if "*" not in name:
        yield (folder / name).expanduser() if name.startswith("~/") else folder / name
    elif "**" not in name and not name.startswith("/"):
        yield from sorted(islice(folder.glob(name), _MOST_MATCHES))


def _is_beside(call: ast.Call) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__file__" for node in ast.walk(call))


def _written(tree: ast.AST) -> set[str]:
    """Names of files that calls write, as far as they are written out."""
    bound: dict[str, list[ast.expr]] = {}
    for name, value in _bindings(tree):
        bound.setdefault(name, []).append(value)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _writes(node)]
    texts = {text for call in calls for part in _parts(call) for text in _path_texts(part, bound)}
    return {name for text in texts for name in _forms(text, may_glob=True)}


def _bindings(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names of variables, attributes, parameters and functions with what they stand for, wherever that is said."""
    parameters: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ((node.name, end.value) for end in ast.walk(node) if isinstance(end, ast.Return) and end.value)
            names = [argument.arg for argument in node.args.args]
            parameters[node.name] = [name for name in names if name not in ("self", "cls")]
            yield from zip(reversed(names), reversed(node.args.defaults), strict=False)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from zip(parameters.get(_called(node), []), node.args, strict=False)
            yield from ((keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield str(getattr(target, "id", None) or getattr(target, "attr", "")), node.value


def _path_texts(node: ast.expr, bound: dict[str, list[ast.expr]]) -> Iterator[str]:
    """Texts of which a path is made; none of what is read or computed. Names are taken from `bound`: once is enough."""
    if (text := _text(node)) is not None:
        yield text
    name = _called(node) if isinstance(node, ast.Call) else getattr(node, "id", None) or getattr(node, "attr", None)
    parts = bound.pop(name, []) if isinstance(name, str) else []
    if isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.Call) and _called(node) in _MAKE_PATHS:
        parts = _parts(node)
    for part in parts:
        yield from _path_texts(part, bound)


def _parts(call: ast.Call) -> list[ast.expr]:
    """Arguments of a call, and what its method is called on."""
    on = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    return [*on, *call.args, *(keyword.value for keyword in call.keywords)]


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _writes(call: ast.Call) -> bool:
    if _called(call) == "replace":  # of a file; a text has two arguments
        return len(call.args) == 1 or getattr(getattr(call.func, "value", None), "id", "") == "os"
    if _called(call) != "open":
        return _called(call) in _WRITERS
    on = call.func.value if isinstance(call.func, ast.Attribute) else None
    if getattr(on, "id", "") in _DATABASES:
        return True
    modes = [*(call.args if on else call.args[1:]), *(keyword.value for keyword in call.keywords)]
    return any(_WRITING_MODE.fullmatch(text) for mode in modes for node in ast.walk(mode) if (text := _text(node)))
