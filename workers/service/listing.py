"""What a service lists under `/v1/models`: whether it knows a model, until when, and by what it can be told again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from configs.plural import show_many

_CHANGING = frozenset({"created", "permission", "loaded", "state", "status", "shutdown_date"})
"""What servers list of a model and change by themselves: vLLM and llama.cpp put the time of the request there."""

_SHUTDOWNS = {
    date(2026, 10, 23): """gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-4 gpt-4-0613 gpt-4-1106-preview gpt-4-turbo
        gpt-4-turbo-2024-04-09 gpt-4o-2024-05-13 gpt-4.1-nano gpt-4.1-nano-2025-04-14 o1 o1-2024-12-17 o3-mini
        o3-mini-2025-01-31 o4-mini o4-mini-2025-04-16""",
    date(2026, 12, 11): """gpt-5 gpt-5-2025-08-07 gpt-5-mini gpt-5-mini-2025-08-07 gpt-5-nano gpt-5-nano-2025-08-07
        gpt-5-pro o3 o3-pro""",
    date(2027, 1, 14): """gpt-4o gpt-4o-2024-08-06 gpt-4o-2024-11-20 gpt-4o-mini gpt-4o-mini-2024-07-18 gpt-4.1
        gpt-4.1-2025-04-14 gpt-4.1-mini gpt-4.1-mini-2025-04-14""",
    date(2027, 4, 1): "gpt-5.1",
}
SHUTDOWNS: Mapping[str, date] = {name: day for day, names in _SHUTDOWNS.items() for name in names.split()}
"""Days on which OpenAI shuts models down, by https://developers.openai.com/api/docs/deprecations as read on 29 November
2026. `shutdown_date` in a service's own list comes first."""

_SHOWN = 5
_COMPARED = 2_000  # names, with a model that is not listed: a tenth of a millisecond each
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Listing:
    """One look at a service's models.

    Attributes:
        names: of all that are listed.
        entry: what is listed of the model asked about, and stays the same; nothing where a pattern stands for it; None
            where it is not listed.
        shutdown: the last day, as the service says it.
    """

    names: tuple[str, ...]
    entry: Mapping[str, Any] | None = field(default=None)
    shutdown: date | None = None


def read_listing(answer: Any, model: str) -> Listing | None:
    """The listing in an answer to `GET /models`; None where there is none in it, or a part that lacks the model.

    A listing is `{"data": [...]}` or the list alone (Together, GitHub), of objects or names.
    """
    listed = answer.get("data") if isinstance(answer, dict) else answer
    entries = {name: entry for entry in reversed(listed if isinstance(listed, list) else []) if (name := _name(entry))}
    own = next((name for name in (model, f"models/{model}") if name in entries), None)  # the latter as Google has it
    is_covered = any(_covers(name, model) for name in entries)
    is_part = isinstance(answer, dict) and bool(answer.get("has_more"))  # Anthropic: further pages
    if not entries or (own is None and not is_covered and is_part):
        return None
    names = tuple(name[:_LONGEST_NAME] for name in reversed(entries))
    if own is None:
        return Listing(names, {} if is_covered else None)
    entry = entries[own] if isinstance(entries[own], dict) else {}
    return Listing(names, stable(entry), _date(entry.get("shutdown_date")))


def _name(entry: Any) -> str | None:
    name = (entry.get("id") or entry.get("name")) if isinstance(entry, dict) else entry
    return name if isinstance(name, str) else None


def _covers(name: str, model: str) -> bool:
    """Whether a name in a list is a pattern for this model, as LiteLLM lists `openai/*`; `***` is a hidden secret."""
    return "*" in name and "**" not in name and fnmatchcase(model, name)


def stable(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What is listed of a model, without what changes while a server runs."""
    return {name: value for name, value in entry.items() if name not in _CHANGING}


def notice(model: str, base_url: str, listing: Listing | None, today: date) -> str | None:
    """A sentence about a model that a service does not know, or not for long; None where there is nothing to say."""
    shutdown = listing.shutdown if listing else None
    if shutdown is None and urlsplit(base_url).hostname == "api.openai.com":
        shutdown = SHUTDOWNS.get(model)
    if shutdown is not None and shutdown <= today:
        return f"{model} was shut down on {shutdown}: choose another service.model"
    if listing is not None and listing.entry is None:
        close = get_close_matches(model, listing.names[:_COMPARED], _SHOWN, cutoff=0.4) or listing.names[:_SHOWN]
        return (
            f"{base_url} does not list {model} among its {show_many(len(listing.names), 'model')}; it has "
            f"{', '.join(close)}"
        )
    if shutdown is not None:
        return f"{model} will be shut down on {shutdown}: choose another service.model for what is to be repeated later"
    return None


def _date(text: object) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) else None
    except ValueError:
        return None
