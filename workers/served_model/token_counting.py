"""How long a text is for a model behind a server: counted by the server, by a tokenizer of our own, or estimated."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Protocol

from configs.errors import InputError, reason_of
from configs.schema.model import ServedModelConfig
from workers.service.failures import BadRequest, ReplyUnusable, ServiceRefused
from workers.service.server_dialects import Counting, counted
from workers.service.service import Service
from workers.service.token_estimate import tokens_of

logger = logging.getLogger(__name__)


class Counter(Protocol):
    """A counter of a text's tokens.

    Attributes:
        exact: what it counts is what the model reads.
    """

    exact: bool

    async def count(self, texts: Sequence[str], special: bool) -> tuple[int, ...]:
        """Length of each in tokens, with the tokens that begin a text where `special` is true.

        Raises:
            ServiceFailed: the server cannot say.
        """
        ...


class ServerCounter:
    """Counts by the server; estimates from then on where it, or a gateway before it, turns out to have no such address.

    Attributes:
        exact: false once it estimates.
    """

    def __init__(self, service: Service, counting: Counting) -> None:
        self.exact = True
        self._service = service
        self._counting = counting

    async def count(self, texts: Sequence[str], special: bool) -> tuple[int, ...]:
        if self.exact:
            try:
                return tuple(await asyncio.gather(*(self._count(text, special) for text in texts)))
            except (ServiceRefused, BadRequest, ReplyUnusable) as error:
                self.exact = False
                logger.warning(
                    "tokens are estimated, since the server does not count them (%s): give model.tokenizer to have "
                    "them counted",
                    error,
                )
        return await EstimatedCounter().count(texts, special)

    async def _count(self, text: str, special: bool) -> int:
        return await self._service.post(
            self._counting.path, self._counting.body(self._service.model, text, special), _read
        )


class TokenizerCounter:
    """Counts with the served model's own tokenizer.

    Args:
        tokenizer: of transformers.
    """

    exact = True

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    async def encode(self, texts: Sequence[str], special: bool) -> list[list[int]]:
        """Token ids of each."""
        if not texts:
            return []
        encoded = await asyncio.to_thread(self._tokenizer, list(texts), add_special_tokens=special)
        ids: list[list[int]] = encoded["input_ids"]
        return ids

    async def count(self, texts: Sequence[str], special: bool) -> tuple[int, ...]:
        return tuple(len(tokens) for tokens in await self.encode(texts, special))


class EstimatedCounter:
    """Four bytes a token, for want of better: right within a third for English, too low for code and other scripts."""

    exact = False

    async def count(self, texts: Sequence[str], special: bool) -> tuple[int, ...]:
        return tuple(tokens_of(text) + special for text in texts)


def load_tokenizer(config: ServedModelConfig) -> TokenizerCounter | None:
    """The tokenizer that the config names; None where it names none.

    Raises:
        InputError: it cannot be loaded.
    """
    if config.tokenizer is None:
        return None
    from transformers import AutoTokenizer  # noqa: PLC0415 -- heavy, and only some configs need it

    try:
        loaded = AutoTokenizer.from_pretrained(config.tokenizer, revision=config.tokenizer_revision)
    except Exception as error:  # the library raises OSError, ValueError, KeyError and more
        raise InputError(
            f"model.tokenizer: the tokenizer of {config.tokenizer} cannot be loaded ({reason_of(error)}): give its "
            "folder or the name of a hub model"
        ) from None
    return TokenizerCounter(loaded)


def _read(answer: Any) -> int:
    try:
        return counted(answer)
    except (LookupError, TypeError, ValueError):
        raise ReplyUnusable("was asked to count tokens and answered with something else") from None
