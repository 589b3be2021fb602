"""How many tokens a request and its answer have, where the service does not say: estimated, never left out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from configs.schema.service import ServiceConfig
from workers.service.reply import dollars
from workers.usage import Usage

BYTES_A_TOKEN = 4  # of English text, in UTF-8, for the vocabularies of today's models
_EACH_MESSAGE = 4  # tokens around it


def tokens_of(text: str) -> int:
    """Right within a third for English, too low for code and other scripts."""
    return -(-len(text.encode()) // BYTES_A_TOKEN)


def filled_in(usage: Usage, body: Mapping[str, Any], text: str, config: ServiceConfig) -> Usage:
    """Usage with estimates in the place of counts that the service has not given.

    Args:
        usage: of one call, or of none.
        body: of the request.
        text: what the service said.
    """
    if not usage.calls or (usage.prompt_tokens and (usage.new_tokens or not text)):
        return usage
    read, written = usage.prompt_tokens or _read(body), usage.new_tokens or tokens_of(text)
    paid = dollars(read, usage.cached_tokens, written, config)
    return replace(usage, prompt_tokens=read, new_tokens=written, dollars=paid, estimated=1)


def _read(body: Mapping[str, Any]) -> int:
    prompt: str | Sequence[int] | None = body.get("prompt")
    if prompt is not None:
        return max(1, tokens_of(prompt) if isinstance(prompt, str) else len(prompt))
    return sum(_EACH_MESSAGE + tokens_of(message["content"]) for message in body["messages"])
