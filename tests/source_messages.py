"""What the source tree says to users in errors, log lines and notes, read off its syntax.

`python -m tests.source_messages` prints every message with its place, to be read as a user would.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.source_tree import Module, modules

_BUILT_IN = {"Exception", "BaseException", "ValueError", "RuntimeError", "BadParameter", "UsageError", "ClickException"}
_LOG = {"debug", "info", "warning", "error", "exception", "critical"}
_NOTES = {"say", "say_next", "PoolProblem", "Damage", "Hole"}
_MAKERS = {"_wrong", "_failed", "_sentence", "_error", "_damaged", "_say", "_unreachable", "__init__"}
_CAPITAL = re.compile(r"(A|An|All|Every|Give|It|No|Nothing|Only|Rows|Rules|The|There|These|This|Two) ")
_TWO_SENTENCES = re.compile(r"[a-z)}'`][.!?] +[A-Z`]")
_HOLE = "{}"


@dataclass(frozen=True, slots=True)
class Message:
    """One text that a user may read; what is put into it at run time stands there as `{}`."""

    place: str
    text: str

    def faults(self) -> list[str]:
        """How it departs from the rule in CONTRIBUTING.md."""
        wrong = {
            "ends with a full stop": self.text.rstrip().endswith(".") and not self.text.rstrip().endswith("..."),
            "holds two sentences": _TWO_SENTENCES.search(self.text),
            "begins with a capital": _CAPITAL.match(self.text),
        }
        return [f"{self.place}: {fault}: {self.text}" for fault, is_there in wrong.items() if is_there]


@cache
def messages() -> list[Message]:
    """All messages of the four rooms, in the order of their places."""
    speaking = _exceptions() | _LOG | _NOTES | _MAKERS
    return [message for module in modules() for message in _messages_in(module, speaking)]


def _exceptions() -> set[str]:
    """Names of all classes that derive from an exception, however far up."""
    bases = {
        node.name: {_last_name(base) for base in node.bases}
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }
    known = set(_BUILT_IN)
    while grown := {name for name, above in bases.items() if above & known} - known:
        known |= grown
    return known


def _messages_in(module: Module, speaking: set[str]) -> Iterator[Message]:
    named = _named_texts(module.tree)
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or _last_name(node.func) not in speaking:
            continue
        for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
            for text in _texts(argument, named):
                if " " in text:
                    yield Message(f"{module.name}:{argument.lineno}", text)


def _named_texts(tree: ast.Module) -> dict[str, list[str]]:
    """What a module assigns to a name, where that is text: constants, and parts of messages such as hints."""
    named: dict[str, list[str]] = defaultdict(list)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named[node.targets[0].id] += _texts(node.value, {})
    return named


def _texts(node: ast.expr, named: dict[str, list[str]]) -> list[str]:
    """What an expression may say: several texts where its end is chosen at run time."""
    match node:
        case ast.Constant(value=str(text)):
            texts = [text]
        case ast.Name(id=name):
            texts = named.get(name, [])
        case ast.FormattedValue(value=value):
            texts = _texts(value, named) or [_HOLE]
        case ast.IfExp(body=body, orelse=orelse):
            texts = [*_texts(body, named), *_texts(orelse, named)]
        case ast.JoinedStr(values=[*parts]):
            texts = _joined(parts, named)
        case ast.BinOp(left=left, op=ast.Add(), right=right) if _texts(left, named) or _texts(right, named):
            texts = _joined([left, right], named)
        case _:
            texts = []
    return texts


def _joined(parts: list[ast.expr], named: dict[str, list[str]]) -> list[str]:
    alternatives = [_texts(part, named) or [_HOLE] for part in parts]
    before = "".join(texts[0] for texts in alternatives[:-1])
    return [before + text for text in (alternatives[-1] if alternatives else [""])]


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


if __name__ == "__main__":
    for message in messages():
        print(f"{message.place}: {message.text!r}")
