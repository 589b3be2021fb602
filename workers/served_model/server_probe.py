"""Getting to know a server: what it is, what it serves, how much fits."""

import json
from dataclasses import dataclass
from typing import Any

from configs.errors import InputError
from configs.schema.model import ServedModelConfig
from workers.service.failures import ServiceFailed
from workers.service.listing import stable
from workers.service.server_dialects import DIALECTS, Dialect, recognised
from workers.service.service import Service
from workers.text_model import ModelCard

_QUOTED = 1000


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers.

    Attributes:
        identity: all that it says of itself and the model, as far as that stays the same while it runs.
        version: of its program; None where it does not say.
    """

    card: ModelCard
    dialect: Dialect
    identity: str
    version: str | None


async def meet(config: ServedModelConfig, service: Service) -> Server:
    """Ask a server who it is.

    Raises:
        InputError: nobody answers, it does not serve this model, or it does not say how much context the model has.
        RunStopped: it refuses the key.
    """
    try:
        asked = config.server == "auto" or DIALECTS[config.server].has_models
        models = await service.get("/models") if asked else None
        kind = recognised(models) if config.server == "auto" else config.server
        dialect = DIALECTS[kind]
        entry = _entry(models, service.model, dialect)
        about = await service.get(dialect.about[0]) if dialect.about else None
    except ServiceFailed as error:
        raise InputError(
            f"the server cannot be reached ({error}): start it, or correct model.service.base_url"
        ) from None
    if config.send == "tokens" and not dialect.takes_tokens:
        raise InputError(f"model.send is tokens, and a server of kind {kind} takes none: set it to text")
    version = _version(dialect, about)
    card = ModelCard(
        fingerprint=_fingerprint(config, service, kind, entry, version),
        context_tokens=_context(config, entry, about),
        device=f"{kind} at {service.base_url}",
    )
    identity = f"{card.fingerprint}, listed as {json.dumps(stable(entry), sort_keys=True)[:_QUOTED]}"
    return Server(card, dialect, identity, version)


def _entry(models: Any, name: str, dialect: Dialect) -> dict[str, Any]:
    """What the server lists of this model; empty where it need not list it."""
    listed = models.get("data") if isinstance(models, dict) else None
    entries = [model for model in listed if isinstance(model, dict)] if isinstance(listed, list) else []
    for entry in entries:
        if entry.get("id") == name:
            return entry
    if dialect.lists_models:
        names = ", ".join(str(entry.get("id")) for entry in entries) or "nothing"
        raise InputError(f"the server does not serve {name}: set model.service.model to what it serves ({names})")
    return entries[0] if len(entries) == 1 else {}


def _version(dialect: Dialect, about: Any) -> str | None:
    if dialect.about is None:
        return None
    try:
        return dialect.about[1](about)
    except (LookupError, TypeError):
        return None


def _fingerprint(
    config: ServedModelConfig, service: Service, kind: str, entry: dict[str, Any], version: str | None
) -> str:
    """A fingerprint of the server. Without a version nothing tells two servers of the same model apart but where they
    are.
    """
    meta = entry.get("meta")
    weights = [f"{meta.get('n_params')} parameters in {meta.get('size')} bytes"] if isinstance(meta, dict) else []
    read = f"as tokens of {config.tokenizer}@{config.tokenizer_revision}" if config.send == "tokens" else "as text"
    settings = config.service.alters_answers()
    parts = [
        str(entry.get("root") or service.model),
        *weights,
        f"served by {kind} {version or 'at ' + service.base_url}",
        read,
        *([config.identity] if config.identity else []),
        *([json.dumps(settings, sort_keys=True)] if settings else []),
    ]
    return ", ".join(parts)


def _context(config: ServedModelConfig, entry: dict[str, Any], about: Any) -> int:
    try:
        own = entry.get("max_model_len") or about["default_generation_settings"]["n_ctx"]
    except (LookupError, TypeError):
        own = None
    limits = [limit for limit in (own, config.context_tokens) if isinstance(limit, int)]
    if not limits:
        raise InputError("the server does not report its model's context length: set model.context_tokens")
    return min(limits)
