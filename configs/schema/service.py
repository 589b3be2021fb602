"""An OpenAI-compatible service: address, key, limits, prices, batches."""

import re
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    JsonValue,
    model_validator,
)

from configs.schema.knobs import Knobs


class BatchConfig(Knobs):
    """Asking through the Batch API (OpenAI's `/v1/files` and `/v1/batches`): half the price, hours of waiting."""

    linger: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """A batch is submitted when no further call came for this many seconds."""
    max_requests: Annotated[int, Field(ge=1, le=50_000)] = 10_000
    """Most calls of a batch; it is submitted at once when it has them."""
    poll: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """Seconds between two looks at a batch that is not done."""
    max_wait: Annotated[float, Field(gt=0)] = 26 * 3600.0
    """Seconds a batch may take, counted from its submission; then its calls fail, and its results are still found by
    whoever asks again later. OpenAI promises 24 hours."""
    price_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """What a batched call costs, as a share of the price of a direct one."""


class ServiceConfig(Knobs):
    """An OpenAI-compatible service."""

    model: str
    """Model name that the service knows, for example `gpt-6.1-sol`."""
    base_url: str | None = None
    """Address such as `http://127.0.0.1:8000/v1`; OpenAI's own when absent."""
    base_url_variable: str | None = None
    """NAME of the environment variable that holds the address, in place of `base_url`, where a key is part of it."""
    api_key_variable: str | None = "OPENAI_API_KEY"
    """NAME of the environment variable that holds the key, never the key; null for a server that asks for none."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    """How much a reasoning model thinks before it answers; the model's own choice when absent. Log-probabilities and
    temperatures exist only at `none`."""
    length_field: Literal["auto", "max_tokens", "max_completion_tokens"] = "auto"
    """Name of the field that bounds an answer. `auto`: `max_tokens`, and `max_completion_tokens` where the service does
    not take that; hidden reasoning counts against it."""
    extra_body: dict[str, JsonValue] = {}
    """Further fields of every chat's or completion's request, for example `{chat_template_kwargs: {enable_thinking:
    false}}`; they win over those that are sent anyway."""
    headers: dict[str, str] = {}
    """Further headers of every request; none that is secret."""
    header_variables: dict[str, str] = {}
    """Further headers whose value is secret: header name to the NAME of the environment variable that holds it."""
    max_in_flight: Annotated[int, Field(ge=1)] = 32
    """Most requests under way at the same time. It begins with 8 or fewer, grows while all is well, and halves when the
    service is too slow or asks for less."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds one attempt may take."""
    max_retries: Annotated[int, Field(ge=0, le=20)] = 6
    """Further attempts after a 5xx, a timeout or a lost connection, with random, growing pauses. "Slow down" (429, 503)
    is not counted while the service answers others."""
    patience: Annotated[float, Field(gt=0)] = 1800.0
    """Seconds one call may take from its first attempt on, all attempts and pauses together. A service that asks for a
    longer pause than this (Retry-After) stops the run."""
    outage: Annotated[float, Field(gt=0)] = 180.0
    """The run stops, to be resumed, when nobody was answered for this many seconds."""
    dollars_per_million_prompt_tokens: Annotated[float, Field(ge=0)] | None = None
    """Price of a million prompt tokens; costs are unknown when absent."""
    dollars_per_million_cached_tokens: Annotated[float, Field(ge=0)] | None = None
    """Price of a million prompt tokens that the service had in its cache; as the others when absent."""
    dollars_per_million_new_tokens: Annotated[float, Field(ge=0)] | None = None
    """Price of a million tokens written, those of hidden reasoning included; costs are unknown when absent."""
    batch: BatchConfig | None = None
    """Collect chat calls and ask them through the Batch API; directly when absent."""

    @model_validator(mode="after")
    def _one_address_and_no_secret(self) -> Self:
        if self.base_url is not None and self.base_url_variable is not None:
            raise ValueError("set either base_url or base_url_variable")
        for name in self.headers:
            if _SECRET_HEADER.search(name):
                raise ValueError(
                    f"the header {name} may be secret, and the config is kept with the run: under header_variables, "
                    "name the environment variable that holds its value"
                )
        for name in (*self.headers, *self.header_variables):
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} cannot be the name of a header")
        for name, value in self.headers.items():
            if not all(" " <= character <= "~" for character in value):
                raise ValueError(f"the value of the header {name} has characters that no header has")
        for name in ("messages", "prompt", "model", "stream", "n"):
            if name in self.extra_body:
                raise ValueError(f"extra_body cannot set {name}")
        return self

    @model_validator(mode="after")
    def _names_of_variables(self) -> Self:
        variables = {"api_key_variable": self.api_key_variable, "base_url_variable": self.base_url_variable}
        variables |= {f"header_variables.{name}": variable for name, variable in self.header_variables.items()}
        for knob, variable in variables.items():
            if variable is not None and not _VARIABLE.fullmatch(variable):  # which may be a key: it is not repeated
                raise ValueError(
                    f"{knob} is not the name of an environment variable, such as OPENAI_API_KEY: export the value "
                    "under one, and give its name"
                )
        return self

    def alters_answers(self) -> dict[str, JsonValue]:
        """What can change an answer beside model and address, as far as it is set; part of every fingerprint."""
        settings: dict[str, JsonValue] = {
            "reasoning_effort": self.reasoning_effort,
            "extra_body": self.extra_body or None,
            "headers": {**self.headers} or None,
        }
        return {name: value for name, value in settings.items() if value is not None}


_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie|password|credential", re.I)
_VARIABLE = re.compile(r"(?!\w*(?=[A-Za-z]*\d)[A-Za-z0-9]{20})[A-Za-z_]\w*", re.ASCII)
"""A name of an environment variable; letters and digits in one long run are a key instead."""
