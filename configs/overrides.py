"""Settings that are changed after a config is read: texts such as `strategy.evaluations=600`, or a mapping."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from configs.errors import InputError
from configs.schema.knobs import FromCommandLine
from configs.yaml_text import YamlError, parse_yaml

Overrides = Sequence[str] | Mapping[str, Any]
"""Settings to change: `["strategy.evaluations=600"]`, or `{"strategy.evaluations": 600}`."""


def apply_overrides(overrides: Overrides, values: dict[str, Any]) -> None:
    """Put each into the nested mappings of `values`. Raises InputError."""
    if isinstance(overrides, Mapping):
        for name, value in overrides.items():
            _set(str(name), str(name), _typed_here(plain(value)), values)
    else:
        for override in overrides:
            _apply(override, values)


def plain(value: Any) -> Any:
    """Mappings as dicts, sequences as lists, paths as texts, so that the same is read as from a file."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _apply(override: str, values: dict[str, Any]) -> None:
    """Put `a.b.c=value` into nested mappings."""
    name, equals, text = override.partition("=")
    if not equals or not all(name.strip().split(".")):
        raise InputError(f"{_shown(override)} sets nothing; write KNOB=VALUE, for example strategy.evaluations=600")
    try:
        value = _typed_here(parse_yaml(text))
    except YamlError as error:
        raise InputError(f"{_shown(override)} cannot be read: {error}; quote the value") from None
    _set(name.strip(), override, value, values)


def _set(name: str, override: str, value: Any, values: dict[str, Any]) -> None:
    *groups, knob = name.split(".")
    for group in groups:
        if values.get(group) is None:
            values[group] = {}
        values = values[group]
        if not isinstance(values, dict):
            raise InputError(
                f"{_shown(override)} reaches into '{group}', which has no further settings; see `demosearch knobs`"
            )
    values[knob] = value


def _shown(override: str) -> str:
    return repr(override if len(override) <= 80 else f"{override[:77]}...")


def _typed_here(value: Any) -> Any:
    """Marks every text, so that relative paths in it start at the working directory."""
    if isinstance(value, str):
        return FromCommandLine(value)
    if isinstance(value, list):
        return [_typed_here(item) for item in value]
    return {key: _typed_here(item) for key, item in value.items()} if isinstance(value, dict) else value
