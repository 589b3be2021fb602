"""An OpenAI-compatible service: address, key, limits, prices, batches."""

from typing import Annotated

from pydantic import (
    Field,
)

from configs.schema.knobs import Knobs


class BatchConfig(Knobs):
    """Asking through the Batch API (OpenAI's `/v1/files` and `/v1/batches`): half the price, hours of waiting."""

    linger: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """A batch is submitted when no further call came for this many seconds."""
    max_requests: Annotated[int, Field(ge=1, le=50_000)] = 10_000
    """At most this many calls a batch; it is submitted at once when it has them."""
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
    """Model name that the service knows, for example `gpt-4-turbo-2024-04-09`."""
    base_url: str | None = None
    """Address such as `http://127.0.0.1:8000/v1`; OpenAI's own when absent."""
    api_key_variable: str | None = "OPENAI_API_KEY"
    """NAME of the environment variable that holds the key, never the key; null for a server that asks for none."""
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
