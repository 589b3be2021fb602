"""A Python module of the user's own, with what its behaviour depends on: its source and that of the user's modules that
it imports, directly or through each other.

Found are imports that stand in the sources, also inside functions, and `import_module("name")` with the name written
out. Installed packages, the standard library and demosearch itself have versions of their own and are left out. What a
module reads besides (data files, the environment, a database) cannot be known.
"""

import ast
import importlib
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_OURS = frozenset({"configs", "evaluators", "search", "workers"})
_INSTALLED = ("site-packages", "dist-packages")


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
    """SHA-256 of the source of each module, by its name; `name` itself is among them."""
    return {module_name: sha256(path.read_bytes()).hexdigest() for module_name, path in sorted(_sources(name).items())}


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
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            yield base
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names if alias.name != "*")
        elif isinstance(node, ast.Call) and _imports(node.func) and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value.strip(".")


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".") if package else []
    base = parents[: len(parents) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _imports(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in ("import_module", "__import__")
