"""The strings below the fields of a class, which say what each is for."""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise


def attribute_docstrings(owner: type) -> dict[str, str]:
    """Read what stands below each annotated field of a class at the top of its module, and of its base classes.

    pydantic's `use_attribute_docstrings` gives the same, but whenever a class is made: 0.1 s of every command for what
    few of them show.
    """
    described: dict[str, str] = {}
    for base in reversed(owner.__mro__[:-1]):
        described |= _described_classes(base.__module__).get(base.__name__, {})
    return described


@cache
def _described_classes(module: str) -> Mapping[str, dict[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: dict(_described_fields(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _described_fields(owner: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(owner.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
