"""The one client of an OpenAI-compatible service, for judges and for generation.

Time: `ServiceConfig.timeout` bounds one whole attempt, `patience` one whole call. Waiting for a place is in neither.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from os import environ
from pathlib import Path
from typing import Any, TypeVar

from configs.errors import InputError
from configs.schema.service import ServiceConfig
from workers.prompt import ChatMessage
from workers.service.access import open_access, root_of
from workers.service.activity import ServiceActivity
from workers.service.batch import Batches
from workers.service.batch_record import BatchRecord
from workers.service.connection import Connection, closed
from workers.service.failures import (
    BadRequest,
    ErrorInReply,
    Forbidden,
    NothingThere,
    Redirected,
    ServiceChanged,
    ServiceFailed,
    ServiceRefused,
)
from workers.service.http_client import open_client
from workers.service.listing import Listing, notice, read_listing
from workers.service.reply import Reply, read_chat, read_completion
from workers.service.request_fields import OPTIONAL, FieldNegotiation
from workers.service.token_estimate import filled_in
from workers.service.unusable import what_came
from workers.stopwatch import Stopwatch
from workers.usage import Usage

logger = logging.getLogger(__name__)

T = TypeVar("T")
_LOOK = 10.0  # seconds
Body = dict[str, Any]


class Service:
    """Chat and text completions, as many at a time as the service bears.

    Nothing is opened before the first call. Connections belong to the event loop they were opened in: another loop gets
    its own, and finds out anew what the service bears.

    Args:
        config: as validated.
        environment: where the key is looked up, by name.
        folder: of the run; keeps the record of batches, and which fields the model does not take. Needed where the
            config asks for batches.

    Raises:
        InputError: no key under that name, an address, a proxy or certificates that cannot work, or batches without a
            folder.
    """

    def __init__(
        self, config: ServiceConfig, environment: Mapping[str, str] = environ, folder: Path | None = None
    ) -> None:
        if config.batch is not None and folder is None:
            raise InputError("service.batch needs a run directory to keep its record in: leave it out here")
        self._folder = folder
        self.model = config.model
        self.config = config
        self._access = open_access(config, environment)
        self.base_url = self._access.shown_url
        open_client(self._access.base_url, self._access.redactor)  # refuses what would fail after answers were paid for
        self._connection: Connection | None = None
        self._seconds_busy = 0.0  # of connections that are gone
        self._losses = self._losses_seen = 0
        self._listing: Listing | None = None
        self._looking = asyncio.Lock()
        self._batched = Stopwatch()
        self._batches: Batches | None = None
        self._closed = False
        self._fields = FieldNegotiation(config, folder)

    async def chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        temperature: float,
        max_tokens: int,
        top_p: float | None = None,
        logprobs: int = 0,
        seed: int | None = None,
        draw: int = 0,
    ) -> Reply:
        """Answer this chat.

        What the model does not take is left out, or sent under another name, and a warning says so once; see
        `workers.service.request_fields`.

        Args:
            logprobs: how many likeliest tokens to return at every place of the reply, 0 to 20.
            draw: which of several answers to this chat; where they come in batches, one that was paid for before is
                found again by it.

        Raises:
            ServiceFailed: no usable answer to this one, after the retries that the config allows; or closed.
            ServiceRefused: a bad key, a used-up quota, an unknown model: no answer to any.
            ServiceUnreachable: nobody is answered.
        """
        body: Body = {
            "model": self.model,
            "messages": list(messages),
            "temperature": temperature,
            "max_tokens": max_tokens,
        }
        body |= {} if top_p is None else {"top_p": top_p}
        body |= {} if seed is None else {"seed": seed}
        body |= {"logprobs": True, "top_logprobs": logprobs} if logprobs else {}
        body |= {} if self.config.reasoning_effort is None else {"reasoning_effort": self.config.reasoning_effort}
        body |= self.config.extra_body
        while True:
            suited = self._fields.suited(body, OPTIONAL)
            try:
                reply = await self._counted(suited, self._chat(suited, draw))
                await self._refuse_other_model(reply.usage)
                return reply
            except BadRequest as error:
                self._fields.learn(error, suited, OPTIONAL)

    async def complete(
        self, prompt: str | Sequence[int], fields: Body, optional: frozenset[str] = frozenset()
    ) -> Reply:
        """Continue this text.

        Args:
            prompt: text, or token ids.
            fields: of the request's body, `max_tokens`, `temperature` and whatever else the server knows.
            optional: those that may be left out where the server does not take them.

        Raises:
            As `chat`.
        """
        asked: Body = {"model": self.model, "prompt": prompt if isinstance(prompt, str) else list(prompt)}
        body = asked | fields | self.config.extra_body
        while True:
            suited = self._fields.suited(body, optional)
            try:
                answer = self.post("/completions", suited, lambda body: read_completion(body, self.config))
                return await self._counted(suited, answer)
            except BadRequest as error:
                self._fields.learn(error, suited, optional)

    async def post(self, path: str, body: Body, read: Callable[[Any], T]) -> T:
        """Send JSON and read the answer.

        Args:
            path: behind the base URL, "/completions"; with "//" in front behind the server's root, "//tokenize".
            read: from the body as JSON; raises ServiceFailed where it is not what was asked for.
        """
        address = self._address(path)

        async def send(client: Any) -> T:
            answer = await client.post(address, cast_to=object, body=body)
            try:
                return read(answer)
            except ErrorInReply as error:
                error.sent_fields = body
                raise

        return await self._connect().call(send)

    async def get(self, path: str) -> Any:
        """What is at this path, as `post` has it: JSON, or the text where it is none; None where nothing is."""
        address = self._address(path)
        try:
            return await self._connect().call(lambda client: client.get(address, cast_to=object))
        except (NothingThere, BadRequest, Redirected):
            return None

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def losses(self) -> int:
        """How often a connection was lost or could not be made: who answers afterwards may be another server."""
        return self._losses + (self._connection.losses if self._connection else 0)

    async def look_up_model(self) -> str | None:
        """Look once, and not for long, whether the service lists the model; a sentence where it does not, or where it
        will not for long, or cannot be asked. It is no reason to stop: not every service lists what it serves, or to
        every key."""
        try:
            answer = await self._look()
        except (NothingThere, Forbidden, BadRequest):
            answer = None
        except (ServiceFailed, ServiceRefused) as error:
            return f"asked for its models, {error}"
        if isinstance(answer, str):
            return f"asked for its models, {self.base_url} answered with {what_came(answer)}"
        listing = read_listing(answer, self.model)
        if listing is not None and self._listing is None:
            self._listing, self._losses_seen = listing, self.losses
        return notice(self.model, self.base_url, listing, datetime.now(UTC).date())

    async def _look(self) -> object:
        address = self._address("/models")
        return await self._connect().try_once(lambda client: client.get(address, cast_to=object), _LOOK)

    async def _refuse_other_model(self, usage: Usage) -> None:
        """Look again, after a connection was lost, whether the service still lists the same of the model.

        It is one look, since whoever waits holds what was paid for: where it brings nothing, that is kept.
        """
        async with self._looking:
            losses = self.losses
            if self._closed or self._listing is None or self._listing.entry is None or self._losses_seen == losses:
                return
            listing = None
            with suppress(ServiceFailed, ServiceRefused):
                listing = read_listing(await self._look(), self.model)
            if listing is not None and listing.entry != self._listing.entry:
                raise ServiceChanged(
                    f"{self.base_url} was lost for a moment and lists another model as {self.model} since: "
                    f"{dict(self._listing.entry)} before, {dict(listing.entry or {}) or 'nothing'} now: start the "
                    "earlier one again, then go on",
                    usage,
                )
            self._losses_seen = losses

    def activity(self) -> ServiceActivity:
        """What the service is doing now, for people who watch."""
        now = self._connection.activity() if self._connection else ServiceActivity()
        if self.config.batch is not None:
            return replace(now, batched=self._batched.under_way, seconds_busy=self._batched.seconds)
        return replace(now, seconds_busy=self._seconds_busy + now.seconds_busy)

    async def close(self) -> None:
        """Refuse what has not been sent yet, wait for what has been, give connections back. Idempotent; for good."""
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.loop is asyncio.get_running_loop():
            await (connection.hang_up() if self._batches is None else self._batches.close())
        self._seconds_busy += connection.activity().seconds_busy

    async def _counted(self, body: Body, answer: Coroutine[Any, Any, Reply]) -> Reply:
        """A reply with token counts, also where the service gives none."""
        try:
            reply = await answer
        except ServiceFailed as failure:
            failure.usage = filled_in(failure.usage, body, "", self.config)
            raise
        usage = filled_in(reply.usage, body, reply.text, self.config)
        return replace(reply, text=self._access.redactor.words(reply.text), usage=usage)

    async def _chat(self, body: Body, draw: int) -> Reply:
        self._connect()
        if self._batches is not None:
            self._batched.begin()
            try:
                return await self._batches.ask(body, draw)
            finally:
                self._batched.end()
        return await self.post("/chat/completions", body, self._read)

    def _read(self, answer: Any) -> Reply:
        return read_chat(answer, self.config)

    def _connect(self) -> Connection:
        if self._closed:
            raise closed()
        if self._connection is None or self._connection.loop is not asyncio.get_running_loop():
            self._seconds_busy = self.activity().seconds_busy
            self._losses = self.losses
            self._looking = asyncio.Lock()
            self._connection = Connection(self.config, self._access)
            if self.config.batch is not None and self._folder is not None:
                record = BatchRecord(self._folder / "batches")
                self._batches = Batches(self.config.batch, self._connection, record, self.base_url, self._read)
        return self._connection

    def _address(self, path: str) -> str:
        return root_of(self.base_url) + path[1:] if path.startswith("//") else path
