"""Secrets that stand in a config, which is kept with the run: refused, with the way to name them instead."""

import re
from collections.abc import Iterator
from typing import Any

_NAMES = re.compile(
    r"(x[-_])?(api[-_]?key|access[-_]?(key|token)|auth(orization)?([-_]?(key|token))?|bearer|passw(or)?d|"
    r"secret([-_]?(key|access[-_]?key))?|client[-_]?secret|private[-_]?key|credentials?)",
    re.I,
)
"""Settings of a user's own (options, extra_body, headers) that hold a secret if they hold a text."""

_VALUES = re.compile(
    r"\b(?:sk|pk|rk)[-_](?=[\w-]*\d)[\w-]{20,}|\bhf_[A-Za-z0-9]{20,}|\bgsk_[A-Za-z0-9]{20,}|\bxai-[A-Za-z0-9]{20,}|"
    r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bnvapi-[\w-]{20,}|\bAIza[\w-]{30,}|"
    r"\bAKIA[0-9A-Z]{16}\b|\bfw_[A-Za-z0-9]{20,}|\br8_[A-Za-z0-9]{30,}|"
    r"\bxox[abprs]-[\w-]{10,}|\beyJ[\w-]{10,}\.[\w-]{10,}|\b[Bb]earer\s+[\w.~+/=-]{12,}"
)
"""Keys as their makers write them."""


def secrets_in(value: Any, place: str = "") -> Iterator[str]:
    """Places of settings that seem to hold a key, such as `judge.options.api_key`."""
    if isinstance(value, dict):
        for name, part in value.items():
            inner = f"{place}.{name}" if place else str(name)
            names_variables = place.endswith("header_variables")  # which hold the secrets
            if isinstance(part, str) and part.strip() and _NAMES.fullmatch(str(name)) and not names_variables:
                yield inner
            else:
                yield from secrets_in(part, inner)
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from secrets_in(part, f"{place}[{number}]")
    elif isinstance(value, str) and _VALUES.search(value):
        yield place
