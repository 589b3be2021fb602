"""The fields of a request that a model takes, found out by asking.

Reasoning models refuse `max_tokens`, temperatures, seeds and log-probabilities, each service in its own words. A field
that is refused is asked without from then on, or under its other name, and a warning says so once: at the value that
the model has by itself, an answer is still the answer of this model. What cannot be left out without another question
being asked (log-probabilities, a setting of the user's own) stops the run with what to change.

What was found out is kept with the run: a service that takes tomorrow what it refuses today would otherwise answer the
second half of a run under other settings than the first.
"""

import json
import logging
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from configs.atomic_file import write_whole
from configs.schema.service import ServiceConfig
from workers.service.failures import BadRequest, ServiceRefused

logger = logging.getLogger(__name__)

OPTIONAL = frozenset({"temperature", "top_p", "seed", "reasoning_effort"})
"""Fields of a chat that may be left out."""
_LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_NEEDED = frozenset({"logprobs", "top_logprobs", "reasoning_effort"})


class _Kept(BaseModel):
    """What an earlier process found out."""

    limit: Literal["max_tokens", "max_completion_tokens"]
    left_out: set[str]


class FieldNegotiation:
    """Remembers what one model does not take.

    Args:
        config: of its service.
        folder: keeps what is found out for later processes; None where there is none to come.
    """

    def __init__(self, config: ServiceConfig, folder: Path | None = None) -> None:
        self._config = config
        self._limit: str = "max_tokens" if config.length_field == "auto" else config.length_field
        self._left_out: set[str] = set()
        address = sha256(f"{config.base_url} {config.model} {config.length_field}".encode()).hexdigest()
        self._path = folder / f"request-fields-{address[:16]}.json" if folder is not None else None
        self._recall()

    def _recall(self) -> None:
        if self._path is not None and self._path.is_file():
            try:
                kept = _Kept.model_validate_json(self._path.read_bytes())
            except (OSError, ValidationError):  # it is found out again
                return
            self._limit, self._left_out = kept.limit, kept.left_out

    def _keep(self) -> None:
        if self._path is not None:
            write_whole(self._path, json.dumps({"limit": self._limit, "left_out": sorted(self._left_out)}))

    def suited(self, body: Mapping[str, Any], optional: frozenset[str]) -> dict[str, Any]:
        """The body as the model takes it, as far as that is known.

        Args:
            optional: fields of it that may be left out.
        """
        own = self._config.extra_body
        suited = {}
        for name, value in body.items():
            if name in own or name not in (*(self._left_out & optional), "max_tokens"):
                suited[name] = value
            elif name == "max_tokens" and not own.keys() & _LIMITS.keys():
                suited[self._limit] = value
        return suited

    def learn(self, error: BadRequest, sent_fields: Mapping[str, Any], optional: frozenset[str]) -> None:
        """Leave out, from now on, the field that this error is about.

        Args:
            sent_fields: the body that was refused.
            optional: as in `suited`.

        Raises:
            BadRequest: the error, where it is about something else.
            ServiceRefused: it is about a field that cannot be left out.
        """
        own = self._config.extra_body.keys() & sent_fields.keys()
        fields = {*optional, *_LIMITS, *_NEEDED} & sent_fields.keys() | own
        name = error.refusal.field_of(fields) if error.refusal else None
        if name is None:
            raise error
        if name in own or name in _NEEDED:
            self._insist(name, error, sent_fields)
        if name in _LIMITS:
            self._rename_limit(name, error)
        elif name not in self._left_out:
            self._left_out.add(name)
            self._keep()
            self._say(f"does not take {name} and is asked without, at the value it has by itself", error)

    def _rename_limit(self, name: str, error: BadRequest) -> None:
        if name != self._limit:  # another request has been told meanwhile
            return
        if self._config.length_field != "auto" or name == "max_completion_tokens":
            raise error
        self._limit = _LIMITS[name]
        self._keep()
        self._say(f"does not take {name} and is sent {self._limit} instead", error)

    def _say(self, remedy: str, error: BadRequest) -> None:
        logger.warning("%s %s (%s)", self._config.model, remedy, error)

    def _insist(self, name: str, error: BadRequest, fields: Mapping[str, Any]) -> None:
        """Raise, unless the field says nothing to a model that does not know it."""
        refusal = str(error).rstrip(". ")
        if name in self._config.extra_body:
            raise ServiceRefused(f"{refusal}: take {name} out of service.extra_body, then go on")
        if name == "reasoning_effort":
            if error.refusal and error.refusal.of_value:
                raise ServiceRefused(f"{refusal}: set service.reasoning_effort to a value that it takes")
            return
        remedy = "" if fields.get("reasoning_effort") == "none" else "set service.reasoning_effort to none, or "
        raise ServiceRefused(f"{refusal}: this judge needs log-probabilities; {remedy}choose another model")
