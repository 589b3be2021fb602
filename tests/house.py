"""Figures of the source tree: `python -m tests.house` prints them.

Lengths are in lines; a function's holds its decorators and its docstring. `overhead_dspy.py` runs elsewhere, with
DSPy's names.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median, quantiles

from tests.source_tree import modules

_HANGING = frozenset(
    (
        *(
            "After",
            "Against",
            "Along",
            "As",
            "At",
            "Behind",
            "Below",
            "Beside",
            "Between",
            "By",
            "For",
            "From",
            "In",
            "Into",
        ),
        *("Of", "On", "Over", "Per", "To", "Under", "Until", "Up", "With", "Without"),
        *("And", "Because", "But", "If", "Or", "Since", "So", "Then", "Though", "When", "Where", "While"),
        *("It", "Its", "That", "Their", "These", "They", "This", "Those", "Which", "Who", "Whose"),
        *(
            "Can",
            "Does",
            "Elsewhere",
            "Else:",
            "Given",
            "Is",
            "Likewise,",
            "Not",
            "Once",
            "Said",
            "Spelled",
            "Stands",
            "Told",
        ),
        *("Args:", "Attributes:", "Raises:", "Returns:", "Yields:"),
    )
)
_VAGUE = frozenset(
    (
        *(
            "any_place",
            "apart",
            "attendance",
            "beside",
            "bury",
            "contestant",
            "crew",
            "doubts",
            "foreign",
            "found",
            "hire",
        ),
        *(
            "known",
            "lean",
            "likeness",
            "one",
            "said",
            "seat",
            "sent",
            "speaker",
            "spelt",
            "sure",
            "together",
            "told",
            "way",
        ),
        *("way_on", "ways", "what"),
    )
)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign)
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class House:
    """The source tree, measured.

    Attributes:
        files: length by path, from the root of the repository.
        functions: length by `path:name`.
        classes: paths by name of every public class.
        openings: `path:line` of every docstring, of a definition or behind an assignment, that does not stand alone: it
            begins with a section, a preposition, a pronoun or a conjunction.
        vague_names: `path:line: name` of every definition, parameter, attribute or variable whose name says nothing of
            what it holds, or is a word of our own where the field has one.
        unknown_arguments: `path:line: name` of what a docstring explains and its function or class does not have.
        folders: number of modules beside `__init__.py`, by package.
    """

    files: dict[str, int] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)
    classes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    openings: list[str] = field(default_factory=list)
    vague_names: list[str] = field(default_factory=list)
    unknown_arguments: list[str] = field(default_factory=list)
    folders: Counter[str] = field(default_factory=Counter)

    @property
    def repeated_classes(self) -> dict[str, list[str]]:
        """Names of public classes that are defined in several files."""
        return {name: paths for name, paths in self.classes.items() if len(paths) > 1}


def measure() -> House:
    """Read every module of the four rooms."""
    house = House()
    for module in modules():
        house.files[module.name] = module.text.count("\n")
        if module.path.name != "__init__.py":
            house.folders[module.path.parent.as_posix()] += 1
        for node in ast.walk(module.tree):
            if isinstance(node, _Definition | ast.Module):
                _note(house, module.name, node)
            if (name := _bound_name(node)).strip("_").lower() in _VAGUE:
                house.vague_names.append(f"{module.name}:{getattr(node, 'lineno', 0)}: {name}")
    return house


def _note(house: House, file: str, node: _Definition | ast.Module) -> None:
    name = node.name if isinstance(node, _Definition) else "module"
    house.openings.extend(f"{file}:{line}: {text[:60]}" for text, line in _docstrings(node) if _hangs(text))
    if isinstance(node, _Definition):
        unknown = sorted(set(_explained(ast.get_docstring(node) or "")) - _bound_within(node))
        house.unknown_arguments.extend(f"{file}:{node.lineno}: {argument}" for argument in unknown)
    if isinstance(node, ast.ClassDef) and not name.startswith("_"):
        house.classes[name].append(file)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        house.functions[f"{file}:{name}"] = (node.end_lineno or first) - first + 1


def _bound_name(node: ast.AST) -> str:
    """The name that a node gives to something; "" where it gives none."""
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.arg(arg=name):
            return name
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return name
    return ""


def _explained(docstring: str) -> Iterator[str]:
    """Names that the sections on arguments and attributes explain."""
    for section in re.findall(r"^(?:Args|Attributes):\n((?: {4}.*\n?|\n)*)", docstring, re.MULTILINE):
        for names in re.findall(r"^ {4}([*\w]+(?:, [*\w]+)*): ", section, re.MULTILINE):
            yield from names.replace("*", "").split(", ")


def _bound_within(node: _Definition) -> set[str]:
    """Names of parameters, fields, properties and attributes."""
    return {_bound_name(inner) for inner in ast.walk(node)}


def _docstrings(node: _Definition | ast.Module) -> Iterator[tuple[str, int]]:
    """A definition's own docstring and those of what it assigns, each with its line."""
    for before, statement in pairwise((None, *node.body)):
        match statement:
            case ast.Expr(value=ast.Constant(value=str(text))) if before is None or isinstance(before, _ASSIGNMENTS):
                yield text.strip(), statement.lineno


def _hangs(text: str) -> bool:
    return text.split(maxsplit=1)[0] in _HANGING or text.startswith("...")


def _longest(lengths: dict[str, int], count: int = 5) -> str:
    return ", ".join(f"{name} {lines}" for name, lines in sorted(lengths.items(), key=lambda item: -item[1])[:count])


def main() -> None:
    house = measure()
    files, functions = [*house.files.values()], [*house.functions.values()]
    print(f"{len(files)} files, {sum(files):,} lines; median {median(files):.0f}; longest: {_longest(house.files)}")
    p95 = quantiles(functions, n=20)[-1]
    print(f"{len(functions)} functions; median {median(functions):.0f}, 95th percentile {p95:.0f}; ", end="")
    print(f"longest: {_longest(house.functions)}")
    print(f"class names in several files: {house.repeated_classes or 'none'}")


if __name__ == "__main__":
    main()
