"""A Python module of the user's own, with what its behaviour depends on: its source, that of the user's modules that it
imports, directly or through each other, and files beside them that they read.

Found are imports that stand in the sources, also inside functions, names of modules that are written out where a module
imports by name, and files that it names (`evaluators.judge_tools.read_files`).
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

from evaluators.judge_tools.read_files import files_read

_OURS = frozenset({"configs", "evaluators", "search", "workers"})
_INSTALLED = ("site-packages", "dist-packages")
_IMPORTERS = frozenset({"import_module", "__import__", "importlib", "run_path", "run_module"})
_MODULE_NAME = re.compile(r"\.*[A-Za-z_][\w.]*")


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
        files |= {f"{module} file {written}": read for written, read in sorted(files_read(path).items())}
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
        folders = [Path(entry) / parts[count - 1] for entry in (sys.path if path is None else path)]
        try:
            spec = PathFinder.find_spec(".".join(parts[:count]), path)
        except KeyError:  # a folder without __init__.py in another one, which Python has not imported
            spec = None
        except (ImportError, OSError, ValueError):
            return None
        inside = [str(folder) for folder in folders if folder.is_dir()]
        if spec is None and (count == len(parts) or not inside):
            return None
        path = inside if spec is None or spec.loader is None else [*(spec.submodule_search_locations or [])]
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
        for text in filter(_MODULE_NAME.fullmatch, _texts(tree)):
            yield f"{package}{text}" if text.startswith(".") and package else text.strip(".")
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
