"""Lists of a config whose entries must differ, since cells and folders are named after them."""

from collections.abc import Iterable

from pydantic import AfterValidator


def refuse_same_names(kind: str, names: Iterable[str]) -> None:
    """Raises ValueError where two of these names are the same; `kind` says in the plural what is named."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two {kind} are called '{name}'; give each a name of its own")
        seen.add(name)


def _differ(values: tuple[object, ...]) -> tuple[object, ...]:
    """Compare as tables show them: 0.3 and 0.3000000001 are the same there."""
    shown = [f"{value:g}" if isinstance(value, float) else f"{value}" for value in values]
    twice = next((text for text in shown if shown.count(text) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice} is listed twice; leave one out")
    return values


Distinct = AfterValidator(_differ)
"""Annotation of a field that holds a tuple of numbers or words, none of which is there twice."""
