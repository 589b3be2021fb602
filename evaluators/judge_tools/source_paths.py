"""Paths that the source of a Python module makes, as far as they can be known without running it."""

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import islice, product, starmap
from pathlib import Path

UNKNOWN = "\0"
"""Whatever part of a text is computed."""
HERE = "\1"
"""The beginning of paths that begin at the module's folder, by `__file__` or by the name of its package."""

GLOBS = frozenset({"glob", "iglob", "rglob"})
"""Functions and methods that take a pattern."""

_PLACEHOLDER = re.compile(r"%s|\{\w*\}")
_JOINING = GLOBS | {"Path", "PurePath", "join", "joinpath"}
_SAME = frozenset({"resolve", "absolute", "expanduser", "str", "fspath", "abspath", "realpath", "format", "dirname"})
_BELOW = ast.Constant("**")
_MOST = 30  # texts that an expression may be
_LONGEST = 500  # characters
_DEEPEST = 60  # expressions in each other


class SourcePaths(ast.NodeVisitor):
    """What the expressions of a module may be, as texts; names stand for all that they are bound to anywhere."""

    def __init__(self, tree: ast.AST, path: Path) -> None:
        self._path = path
        self._depth = 0
        self._texts: dict[int, list[str]] = {}
        self._bound: dict[str, list[ast.expr]] = {}
        for name, value in _bindings(tree):
            self._bound.setdefault(name, []).append(value)

    def texts(self, node: ast.AST) -> list[str]:
        """Texts that an expression may be, with `UNKNOWN` for what is computed and `HERE` for the module's folder."""
        if id(node) not in self._texts:
            self._texts[id(node)] = [UNKNOWN]  # for an expression that is made of itself
            if self._depth < _DEEPEST:
                self._depth += 1
                texts = (text if len(text) <= _LONGEST else UNKNOWN for text in self.visit(node))
                self._texts[id(node)] = list(dict.fromkeys(islice(texts, _MOST))) or [UNKNOWN]
                self._depth -= 1
        return self._texts[id(node)]

    def generic_visit(self, node: ast.AST) -> Iterator[str]:
        """Texts of the members of a list, a tuple or a set, and of alternatives; nothing else is a text or a path."""
        parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else getattr(node, "elts", [])
        for part in node.values if isinstance(node, ast.BoolOp) else parts:
            yield from self.texts(part)

    def visit_Constant(self, node: ast.Constant) -> list[str]:
        return [_PLACEHOLDER.sub(UNKNOWN, node.value) if isinstance(node.value, str) else UNKNOWN]

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Iterable[str]:
        return map("".join, self._each(node.values))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> list[str]:
        return self.texts(node.value)

    def visit_BinOp(self, node: ast.BinOp) -> Iterable[str]:
        if isinstance(node.op, ast.Div | ast.Add):
            return map(_joined if isinstance(node.op, ast.Div) else "".join, self._each([node.left, node.right]))
        return self.texts(node.left) if isinstance(node.op, ast.Mod) else [UNKNOWN]

    def visit_Name(self, node: ast.Name) -> Iterable[str]:
        return [f"{HERE}/{self._path.name}"] if node.id == "__file__" else self._values(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> Iterable[str]:
        return map(_parent, self.texts(node.value)) if node.attr == "parent" else self._values(node.attr)

    def visit_Subscript(self, node: ast.Subscript) -> Iterable[str]:
        if not (isinstance(node.value, ast.Attribute) and node.value.attr == "parents"):
            return [UNKNOWN]
        place = getattr(node.slice, "value", 0)
        folders: Iterable[str] = self.texts(node.value.value)
        for _ in range(min(place, 20) + 1 if isinstance(place, int) else 1):
            folders = map(_parent, folders)
        return folders

    def visit_Call(self, node: ast.Call) -> Iterable[str]:
        name, on = called(node), [node.func.value] if isinstance(node.func, ast.Attribute) else []
        if name in _JOINING:
            is_method = name == "joinpath" or (name in GLOBS and getattr(on and on[0], "id", "") != "glob")
            below = [_BELOW] if name == "rglob" else []
            return map(_joined, self._each([*(on if is_method else []), *below, *node.args]))
        if name in ("get", "getenv") and len(node.args) > 1:
            return self.texts(node.args[1])
        if name in _RENAMING:
            return starmap(_RENAMING[name], self._each([*on, *node.args][:2]))
        if name == "files" and node.args:
            return map(self._package, self.texts(node.args[0]))
        of = on if name == "format" else node.args or on
        if name in _SAME and of:
            return map(_parent, self.texts(of[0])) if name == "dirname" else self.texts(of[0])
        return self._values(name)

    def _each(self, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ...]]:
        return product(*(self.texts(node) for node in nodes))

    def _values(self, name: str) -> Iterator[str]:
        for value in self._bound.get(name, []):
            yield from self.texts(value)

    def _package(self, name: str) -> str:
        first, *rest = name.split(".")
        ups = [up for up, folder in enumerate(self._path.parents) if folder.name == first]
        return "/".join([HERE, *[".."] * ups[0], *rest]) if ups else UNKNOWN


def _joined(parts: tuple[str, ...]) -> str:
    whole = ""
    for part in parts:
        whole = part if not whole or part.startswith(("/", HERE)) else f"{whole.rstrip('/')}/{part}"
    return whole


def _parent(path: str) -> str:
    if UNKNOWN in path.rpartition("/")[2]:
        return path.rpartition("/")[0] or UNKNOWN
    return f"{path}/.." if path == HERE or path.endswith("..") else path.rpartition("/")[0]


def _with_name(path: str, name: str = UNKNOWN) -> str:
    return _joined((_parent(path), name))


def _with_suffix(path: str, suffix: str = UNKNOWN) -> str:
    return re.sub(r"\.[^./]*$", "", path) + suffix


_RENAMING = {"with_name": _with_name, "with_suffix": _with_suffix}


def called(call: ast.Call) -> str:
    """The name of the function or method that is called; empty where it has none."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _bindings(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names of variables, attributes, parameters and functions with what they stand for, wherever that is said."""
    parameters: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ((node.name, end.value) for end in ast.walk(node) if isinstance(end, ast.Return) and end.value)
            names = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args]]
            parameters[node.name] = [name for name in names if name not in ("self", "cls")]
            yield from zip(reversed(names), reversed(node.args.defaults), strict=False)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from zip(parameters.get(called(node), []), node.args, strict=False)
            yield from ((keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield str(getattr(target, "id", None) or getattr(target, "attr", "")), node.value
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            yield node.target.id, node.iter
