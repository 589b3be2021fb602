"""A Python module of the user's own, with what its behaviour depends on: its source, that of the user's modules that it
imports, directly or through each other, and files beside them that they read.

Found are imports that stand in the sources, also inside functions, names of modules that are written out where a module
imports by name, and files whose names are written out, except those that the same module writes.
Installed packages, the standard library and demosearch itself have versions of their own and are left out. What a
module reads besides (files whose names it makes, the environment, a database) cannot be known.
"""

import ast
import importlib
import importlib.util
import re
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_OURS = frozenset({"configs", "evaluators", "search", "workers"})
_INSTALLED = ("site-packages", "dist-packages")
_IMPORTERS = frozenset({"import_module", "__import__", "importlib", "run_path", "run_module"})
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
    }
)
_DATABASES = frozenset({"shelve", "dbm"})
_MAKE_PATHS = frozenset(
    {"Path", "PurePath", "joinpath", "join", "with_name", "with_suffix", "resolve", "absolute", "str"}
)
_OF_THE_SYSTEM = frozenset({("/", "proc"), ("/", "sys"), ("/", "dev")})
_WRITING_MODE = re.compile(r"[rwaxbt+]*[wax+][rwaxbt+]*")
_MODULE_NAME = re.compile(r"\.*[A-Za-z_][\w.]*")
_FILE_NAME = re.compile(r"[^\0\n]{1,300}")
_LARGEST = 2**28  # bytes of a file that is looked at


def import_module(name: str, folder: Path | None) -> ModuleType:
    """The module, read anew where it stands in `folder`, with those of the user's modules that it imports: the code is
    that of `digests`, also where another module of the same name was imported before.

    Raises:
        Exception: whatever the module raises while it is imported.
    """
    if folder is None:
        return importlib.import_module(name)
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    for module_name, path in _sources(name).items():
        if path.suffix == ".py":  # a compiled one cannot be loaded twice
            sys.modules.pop(module_name, None)
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # it is told apart by whole seconds
    try:
        return importlib.import_module(name)
    finally:
        sys.dont_write_bytecode = writes_bytecode


def digests(name: str) -> dict[str, str]:
    """SHA-256 of the source of each module, by its name, and of each file that it reads, by `MODULE file NAME`; `name`
    itself is among them."""
    sources = _sources(name)
    files = dict(sorted(sources.items()))
    for module, path in sorted(sources.items()):
        files |= {f"{module} file {written}": read for written, read in sorted(_files_read(path).items())}
    by_name: dict[str, str] = {}
    for known_as, path in files.items():
        with suppress(OSError):  # a file that cannot be read is none that the module depends on
            by_name[known_as] = sha256(path.read_bytes()).hexdigest()
    return by_name


def _sources(name: str) -> dict[str, Path]:
    """The files of a module and of all user's modules behind it."""
    files: dict[str, Path] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        spec = None if name in files else _spec(name)
        if spec is None or spec.origin is None or not _is_users(name, Path(spec.origin)):
            continue
        files[name] = Path(spec.origin)
        waiting += _imported(files[name], name, spec.submodule_search_locations is not None)
        waiting += [name.rpartition(".")[0]] if "." in name else []
    return files


def _spec(name: str) -> ModuleSpec | None:
    """Find a module without importing it or its packages; None where Python does not find it on its path."""
    spec, path = None, None
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        try:
            spec = PathFinder.find_spec(".".join(parts[:count]), path)
        except (ImportError, OSError, ValueError):
            return None
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or [])
    return spec


def _is_users(name: str, origin: Path) -> bool:
    if name.partition(".")[0] in _OURS or not origin.is_file():
        return False
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    return standard not in origin.resolve().parents and not any(part in _INSTALLED for part in origin.parts)


def _imported(path: Path, name: str, is_package: bool) -> Iterator[str]:
    """Names of modules that may be imported by this one; names of what is in them are among them."""
    if path.suffix != ".py":
        return
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError):  # importing it will tell
        return
    package = name if is_package else name.rpartition(".")[0]
    if any(map(_imports_by_name, ast.walk(tree))):
        yield from (text.strip(".") for text in _texts(tree) if _MODULE_NAME.fullmatch(text))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            yield base
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names if alias.name != "*")


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".") if package else []
    base = parents[: len(parents) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _imports_by_name(node: ast.AST) -> bool:
    names = [getattr(node, part, None) for part in ("attr", "id", "name")]
    return any(isinstance(name, str) and name.rpartition(".")[2] in _IMPORTERS for name in names)


def _texts(tree: ast.AST) -> Iterator[str]:
    """Texts that are written out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _files_read(path: Path) -> dict[str, Path]:
    """Files whose names are written out in a module, relative to its folder or to where the run was started; none that
    it writes."""
    try:
        tree = ast.parse(path.read_bytes()) if path.suffix == ".py" else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError):
        return {}
    written = _written(tree)
    files: dict[str, Path] = {}
    for text in filter(_FILE_NAME.fullmatch, _texts(tree)):
        if text in written or Path(text).parts[:2] in _OF_THE_SYSTEM:
            continue
        for folder in (path.parent, Path()):
            with suppress(OSError, ValueError):
                if (folder / text).is_file() and (folder / text).stat().st_size <= _LARGEST:
                    files.setdefault(text, folder / text)
    return files


def _written(tree: ast.AST) -> set[str]:
    """Names of files that calls write, as far as they are written out."""
    bound: dict[str, list[ast.expr]] = {}
    for name, value in _bindings(tree):
        bound.setdefault(name, []).append(value)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _writes(node)]
    return {text for call in calls for part in _parts(call) for text in _path_texts(part, bound)}


def _bindings(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names of variables, attributes and parameters with what they are bound to, wherever that stands."""
    parameters: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
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
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    name = getattr(node, "id", None) or getattr(node, "attr", None)
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
    if _called(call) != "open":
        return _called(call) in _WRITERS
    on = call.func.value if isinstance(call.func, ast.Attribute) else None
    if getattr(on, "id", "") in _DATABASES:
        return True
    modes = [*(call.args if on else call.args[1:]), *(keyword.value for keyword in call.keywords)]
    return any(_WRITING_MODE.fullmatch(text) for mode in modes for text in _texts(mode))
