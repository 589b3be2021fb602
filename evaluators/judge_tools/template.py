"""Texts with `{fields}`, filled without `str.format`: a field is a name and nothing else, `{{` and `}}` are braces."""

import re
from collections.abc import Mapping

_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}\n]*)\}|[{}]")
_FIELD = re.compile(r"(?<!\{)\{[a-z_0-9]+\}(?!\})")
_SHOWN = 60  # characters of a faulty field in a message


class TemplateError(ValueError):
    """A brace or a field that cannot be filled; says where, and what to do."""


def fields_of(template: str, allowed: frozenset[str]) -> frozenset[str]:
    """The fields of a template.

    Args:
        allowed: the fields that it may have.

    Raises:
        TemplateError: a lone brace, or a field that is not allowed: another name, a format, an attribute, an index.
    """
    names = set()
    for token in _TOKEN.finditer(template):
        name = token["field"]
        if name is None and token[0] in ("{{", "}}"):
            continue
        line = template.count("\n", 0, token.start()) + 1
        if name is None:
            raise TemplateError(f"line {line}: a lone brace {token[0]}; double it where it is meant as text")
        if name not in allowed:
            shown = token[0] if len(token[0]) <= _SHOWN else token[0][:_SHOWN] + "..."
            raise TemplateError(
                f"line {line}: {shown} is not a field; use {names_in_words(allowed)}, and double braces meant as text"
            )
        names.add(name)
    return frozenset(names)


def fill(template: str, fields: Mapping[str, str]) -> str:
    """The template with every field in its place; braces in the values are text.

    Raises:
        KeyError: a field without a value. `fields_of` has refused what is no field.
    """
    return _TOKEN.sub(lambda token: token[0][0] if token["field"] is None else fields[token["field"]], template)


def literal_parts(template: str) -> list[str]:
    """What the template's lines say beside their fields: braces undoubled, stripped, none empty."""
    parts = (part for line in template.split("\n") for part in _FIELD.split(line))
    return [text for part in parts if (text := part.replace("{{", "{").replace("}}", "}").strip())]


def names_in_words(fields: frozenset[str]) -> str:
    """`{a} or {b}`, in alphabetical order."""
    return " or ".join(f"{{{field}}}" for field in sorted(fields))
