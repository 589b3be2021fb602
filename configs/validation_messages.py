"""What is wrong with a config, in plain words: one line a knob."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from configs.knobs import describe_knobs, group_of, is_list, kinds_of, may_be_absent, tag_of, type_in_words
from configs.schema.renamed import REMOVED, RENAMED

_UNKNOWN = ("extra_forbidden", "invalid_key")
_NO_KIND = ("union_tag_invalid", "union_tag_not_found")


def complaints(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line for each knob at fault."""
    lines = (_in_words(details, *_resolve(details["loc"], model), model) for details in error.errors())
    return list(dict.fromkeys(lines))  # a knob of several types fails once a type, always in the same words


def _resolve(location: tuple[int | str, ...], model: type[BaseModel]) -> tuple[list[str], type[BaseModel]]:
    """The knob's name, part by part, and the group it belongs to.

    Pydantic's locations also hold the kind of a group, positions in lists and branches of unions; none of these is part
    of a name.
    """
    names: list[str] = []
    owner, inner = model, model
    kinds: Mapping[str, type[BaseModel]] = {}
    for part in location:
        if kinds:
            inner, kinds = kinds.get(str(part), inner), {}
            continue
        if isinstance(part, int) and names:
            names[-1] += f"[{part}]"
            continue
        owner = inner
        names.append(str(part))
        field = owner.model_fields.get(str(part))
        kinds, group = kinds_of(field), group_of(field)
        if group is None and not kinds:
            break
        inner = group or owner
    return names, owner


def _in_words(details: ErrorDetails, names: list[str], owner: type[BaseModel], model: type[BaseModel]) -> str:
    name = ".".join(names)
    field = owner.model_fields.get(names[-1].partition("[")[0]) if names else None
    if details["type"] == "value_error":
        return (f"`{name}`: " if name else "") + details["msg"].removeprefix("Value error, ")
    if details["type"] in _UNKNOWN or field is None:
        return f"`{name}`: unknown setting; {_nearest(names, owner, model)}"
    if details["type"] in _NO_KIND:
        return _wrong_kind(details, name, field)
    if details["type"] == "missing":
        expected = "" if kinds_of(field) and not group_of(field) else f": {_expected(field)}"
        return f"`{name}` is required{expected}"
    if details["type"] == "string_too_short" and details["input"] == "":
        is_whole = isinstance(details["loc"][-1], str)
        return f"`{name}` {'is' if is_whole else 'holds'} an empty text: write a character at least, or leave it out"
    hint = " (quote it)" if details["type"] == "string_type" and not isinstance(details["input"], (dict, list)) else ""
    return f"`{name}` must be {_expected(field)}, not {_shown(details['input'])}{hint}"


def _expected(field: FieldInfo) -> str:
    """What a setting may be; of a group, with what it must hold."""
    group = group_of(field)
    if kinds_of(field):
        return f"a mapping with `{tag_of(field)}`" + (" or null" if may_be_absent(field) else "")
    if group is None or is_list(field):
        return type_in_words(field)
    needed = [f"`{name}`" for name, member in group.model_fields.items() if member.is_required()]
    with_them = f"a mapping with {' and '.join(needed)}" if needed else "a mapping"
    return f"{with_them} or null" if may_be_absent(field) else with_them


def _wrong_kind(details: ErrorDetails, name: str, field: FieldInfo) -> str:
    kinds = list(kinds_of(field))
    if details["type"] == "union_tag_not_found":
        return f"`{name}.{tag_of(field)}` is required: one of {', '.join(kinds)}"
    tag = str(details["ctx"]["tag"])
    near = get_close_matches(tag, kinds, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'?" if near else "choose another"
    return f"`{name}.{tag_of(field)}` must be one of {', '.join(kinds)}, not {_shown(tag)}; {hint}"


def _nearest(names: list[str], owner: type[BaseModel], model: type[BaseModel]) -> str:
    *groups, wrong = names or [""]
    name = re.sub(r"\[\d+\]", "", ".".join(names))
    if name in REMOVED:
        return f"it was removed, since {REMOVED[name]}; leave it out"
    renamed = RENAMED.get(name)
    if renamed is not None:
        return f"it is called `{renamed}` now"
    near = get_close_matches(wrong, owner.model_fields, n=1, cutoff=0.5)
    elsewhere = [knob for knob in describe_knobs(model) if knob.name.rpartition(".")[2] == wrong]
    elsewhere = [knob for knob in elsewhere if "[]" not in knob.name] or elsewhere  # `--set` reaches into no list
    other_kinds = [knob.when for knob in elsewhere if knob.name == ".".join(names)]
    if other_kinds:
        return f"it belongs to the kind {' or '.join(other_kinds)}"
    if near:
        return f"did you mean `{'.'.join((*groups, near[0]))}`?"
    if elsewhere:
        return f"did you mean {' or '.join(dict.fromkeys(f'`{knob.name}`' for knob in elsewhere))}?"
    return f"choose from {', '.join(owner.model_fields)}"


def _shown(value: object) -> str:
    text = repr(str(value) if isinstance(value, str) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."
