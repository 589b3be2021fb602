"""What knobs there are: the reference that `demosearch knobs` prints, read off the schema."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from configs.schema import RunConfig

_DISCRIMINATOR = "kind"
_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    Path: "a path",
    NoneType: "null",
}
_BOUNDS = {Ge: ("ge", "at least"), Gt: ("gt", "above"), Le: ("le", "at most"), Lt: ("lt", "below")}


class Knob(NamedTuple):
    """One line of the reference.

    Attributes:
        name: dotted, as `--set` takes it.
        type: in words, with the range.
        default: as YAML would show it; None where the knob must be given.
        description: what it does, with its unit.
        when: the kinds that have it, for example `exhaustive_greedy`; "" where it is always there.
    """

    name: str
    type: str
    default: str | None
    description: str
    when: str


def describe_knobs(model: type[BaseModel] = RunConfig, prefix: str = "") -> Iterator[Knob]:
    """Every knob of a config, in the order of the schema."""
    for name, field in model.model_fields.items():
        dotted = prefix + name
        group, kinds = group_of(field), kinds_of(field)
        if group is not None:
            yield from describe_knobs(group, f"{dotted}.")
        elif kinds:
            yield from _described_kinds(kinds, dotted)
        else:
            yield Knob(dotted, type_in_words(field), _default(field), _one_line(field.description), "")


def _described_kinds(kinds: Mapping[str, type[BaseModel]], prefix: str) -> Iterator[Knob]:
    names = " or ".join(f"'{kind}'" for kind in kinds)
    what = "; ".join(f"`{kind}`: {_one_line(model.__doc__)}" for kind, model in kinds.items())
    yield Knob(f"{prefix}.{_DISCRIMINATOR}", names, None, what, "")
    found: dict[Knob, list[str]] = {}
    for kind, model in kinds.items():
        for knob in describe_knobs(model, f"{prefix}."):
            found.setdefault(knob, []).append(kind)
    for knob, having in found.items():
        if knob.name != f"{prefix}.{_DISCRIMINATOR}":
            yield knob._replace(when="" if len(having) == len(kinds) else ", ".join(having))


def group_of(field: FieldInfo | None) -> type[BaseModel] | None:
    """The model of a knob that is a group of knobs."""
    annotation = field.annotation if field is not None else None
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def kinds_of(field: FieldInfo | None) -> Mapping[str, type[BaseModel]]:
    """The models of a group that comes in several kinds, by kind."""
    if field is None or field.discriminator is None:
        return {}
    members = get_args(field.annotation)
    return {kind: member for member in members for kind in get_args(member.model_fields[_DISCRIMINATOR].annotation)}


def type_in_words(field: FieldInfo) -> str:
    """For example `a whole number of at least 1 or 'auto'`."""
    return "a group of knobs" if group_of(field) else _in_words(field.annotation, field.metadata)


def _in_words(annotation: Any, metadata: list[Any]) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        extra = [item for part in arguments[1:] for item in (part.metadata if isinstance(part, FieldInfo) else [part])]
        return _in_words(arguments[0], [*extra, *metadata])
    if origin in (Union, UnionType):
        return " or ".join(_in_words(member, metadata) for member in arguments)
    if origin is Literal:
        return " or ".join(repr(value) for value in arguments)
    if origin is tuple:
        return f"a list, each {_in_words(arguments[0], [])}"
    return _WORDS.get(annotation, str(annotation)) + _bounds(annotation, metadata)


def _bounds(annotation: Any, metadata: list[Any]) -> str:
    if annotation not in (int, float):
        return ""
    found = [
        f"{word} {getattr(item, name):g}"
        for item in metadata
        for kind, (name, word) in _BOUNDS.items()
        if isinstance(item, kind)
    ]
    text = " and ".join(found)
    return f" of {text}" if text.startswith("at") else f" {text}" if text else ""


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    plain = isinstance(field.default, bool | NoneType)
    return json.dumps(field.default) if plain else str(field.default)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
