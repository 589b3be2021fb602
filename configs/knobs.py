"""What knobs there are: the reference that `demosearch knobs` prints, read off the schema."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from configs.schema.attribute_docstrings import attribute_docstrings
from configs.schema.run import RunConfig

_LISTED = "[]"
_GROUP = "a mapping"
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
    described = attribute_docstrings(model)
    for name, field in model.model_fields.items():
        dotted = prefix + name
        group, kinds = group_of(field), kinds_of(field)
        if kinds and not may_be_absent(field) and _LISTED not in prefix:
            yield from _described_kinds(kinds, dotted, field)
            continue
        if group is None or may_be_absent(field) or is_list(field):
            yield Knob(dotted, type_in_words(field), _default(field), _one_line(described.get(name)), "")
        if group is not None:
            yield from describe_knobs(group, f"{dotted}{_LISTED if is_list(field) else ''}.")


def _described_kinds(kinds: Mapping[str, type[BaseModel]], prefix: str, field: FieldInfo) -> Iterator[Knob]:
    names = " or ".join(f"'{kind}'" for kind in kinds)
    kinds_in_words = "; ".join(f"`{kind}`: {_one_line(model.__doc__).rstrip('.')}" for kind, model in kinds.items())
    tag = tag_of(field)
    choice, usual = f"{prefix}.{tag}", [_default(kind.model_fields[tag]) for kind in kinds.values()]
    usual.insert(0, getattr(field.default, tag, None))
    yield Knob(choice, names, next(filter(None, usual), None), kinds_in_words, "")
    kinds_by_knob: dict[Knob, list[str]] = {}
    for kind, model in kinds.items():
        for knob in describe_knobs(model, f"{prefix}."):
            kinds_by_knob.setdefault(knob, []).append(kind)
    for knob, having in kinds_by_knob.items():
        if knob.name != choice:
            yield knob._replace(when="" if len(having) == len(kinds) else ", ".join(having))


def group_of(field: FieldInfo | None) -> type[BaseModel] | None:
    """The model of a knob that is a group of knobs, or may be one, or is a list of them."""
    members = _members(field)
    return next((member for member in members if isinstance(member, type) and issubclass(member, BaseModel)), None)


def is_list(field: FieldInfo | None) -> bool:
    """Whether a knob is a list."""
    return field is not None and get_origin(field.annotation) is tuple


def may_be_absent(field: FieldInfo | None) -> bool:
    """Whether a knob may be null."""
    return NoneType in _members(field)


def _members(field: FieldInfo | None) -> tuple[Any, ...]:
    """What a knob may be, or the members of its list may be."""
    annotation = field.annotation if field is not None and field.discriminator is None else None
    if annotation is not None and get_origin(annotation) is tuple:
        annotation = get_args(annotation)[0]
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def tag_of(field: FieldInfo | None) -> str:
    """The knob that says which kind a group is of; "" where there is one kind only."""
    return _tag_and_kinds(field)[0]


def kinds_of(field: FieldInfo | None) -> Mapping[str, type[BaseModel]]:
    """The models of a group that comes in several kinds, by kind."""
    tag, members = _tag_and_kinds(field)
    return {kind: member for member in members for kind in get_args(member.model_fields[tag].annotation)}


def _tag_and_kinds(field: FieldInfo | None) -> tuple[str, tuple[Any, ...]]:
    """Name of the knob that tells kinds apart, and their models; also of a group that may be null."""
    if field is None:
        return "", ()
    if field.discriminator is not None:
        return str(field.discriminator), get_args(field.annotation)
    for member in _members(field):
        union, *notes = get_args(member) if get_origin(member) is Annotated else (None,)
        for note in notes:
            if isinstance(note, FieldInfo) and note.discriminator is not None:
                return str(note.discriminator), get_args(union)
    return "", ()


def type_in_words(field: FieldInfo) -> str:
    """The type in words, for example `a whole number of at least 1 or 'auto'`."""
    if kinds_of(field):
        return f"{_GROUP} or null" if may_be_absent(field) else _GROUP
    return _in_words(field.annotation, field.metadata)


def _in_words(annotation: Any, metadata: list[Any]) -> str:  # noqa: PLR0911 -- one line a kind of type
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        extra = [item for part in arguments[1:] for item in (part.metadata if isinstance(part, FieldInfo) else [part])]
        return _in_words(arguments[0], [*extra, *metadata])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_in_words(member, metadata) for member in arguments))
    if origin is Literal:
        return " or ".join(repr(value) for value in arguments)
    if origin is tuple:
        return f"a list, each {_in_words(arguments[0], [])}"
    if origin is dict:
        return "a mapping"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _GROUP
    return _WORDS.get(annotation, str(annotation)) + _bounds(annotation, metadata)


def _bounds(annotation: Any, metadata: list[Any]) -> str:
    if annotation not in (int, float):
        return ""
    limits = [
        f"{word} {getattr(item, name):.15g}"
        for item in metadata
        for kind, (name, word) in _BOUNDS.items()
        if isinstance(item, kind)
    ]
    text = " and ".join(limits)
    return f" of {text}" if text.startswith("at") else f" {text}" if text else ""


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    plain = isinstance(field.default, bool | NoneType)
    return json.dumps(field.default) if plain else str(field.default)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
