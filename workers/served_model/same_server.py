"""Whether the server that answers is still the one that was met: another model may come back under the same name.

Looked at again when a connection was lost or refused, and now and then. What the server says of itself must be the same
(its entry in `/v1/models`, version, weights); after a loss it is also asked for a few greedy completions that it has
given before, which tells apart servers that say nothing of themselves. Servers are not quite deterministic at
temperature 0, so only beginnings are compared, and only all of them together tell.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from configs.errors import InputError
from configs.schema.model import ServedModelConfig
from workers.failures import WorkersUnavailable
from workers.served_model.server_probe import Server, meet
from workers.service.failures import ServiceFailed
from workers.service.server_dialects import idle_fields
from workers.service.service import Service
from workers.usage import NOTHING, Usage

SAMPLES, BEGINNING = 3, 24
"""Numbers of completions that are asked for again, and of their first characters that are compared."""
LOOK_AGAIN = 10.0
"""Seconds after which a server is looked at again though nothing was lost."""

Sample = tuple[str | Sequence[int], dict[str, Any], str]


class OtherModel(WorkersUnavailable):
    """The server has become another one."""


class SameServer:
    """A check that a served model is still the one that the run began with.

    Args:
        service: that answers, and whose connections are lost.
        probe: another client of it, whose questions wait behind nobody's.
        server: as it was met.
    """

    def __init__(self, config: ServedModelConfig, service: Service, probe: Service, server: Server) -> None:
        self._config = config
        self._service = service
        self._probe = probe
        self._server = server
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._losses = service.losses
        self._looked = asyncio.get_running_loop().time()
        self._lock = asyncio.Lock()
        self._other: OtherModel | None = None

    def remember(self, prompt: str | Sequence[int], fields: dict[str, Any], text: str) -> None:
        """Keep a greedy completion to ask for again; short ones tell little."""
        if len(text) >= BEGINNING and len(self._samples) < SAMPLES:
            self._samples.append((prompt, fields, text))

    async def confirm(self) -> Usage:
        """Return when the server is known to be the same; what it cost to find out.

        Raises:
            OtherModel: it is another one.
        """
        async with self._lock:
            if self._other is not None:
                raise self._other
            now = asyncio.get_running_loop().time()
            was_lost = self._service.losses != self._losses
            if not was_lost and now < self._looked + LOOK_AGAIN:
                return NOTHING
            self._losses, self._looked = self._service.losses, now
            try:
                await self._compare_entry()
                return await self._compare_samples() if was_lost else NOTHING
            except OtherModel as other:
                self._other = other
                raise

    async def _compare_entry(self) -> None:
        try:
            now = await meet(self._config, self._probe)
        except InputError as error:
            if self._service.is_closed:
                return
            raise OtherModel(f"the server can no longer be identified: {error}") from None
        if now.identity != self._server.identity:
            raise OtherModel(
                f"{self._service.base_url} has become another server: it was {self._server.identity}, and is "
                f"{now.identity}: start the earlier one again, then go on"
            )

    async def _compare_samples(self) -> Usage:
        samples, paid, differ = list(self._samples), NOTHING, 0
        if len(samples) < SAMPLES:
            return paid
        for prompt, fields, text in samples:
            try:
                reply = await self._probe.complete(prompt, fields, idle_fields(fields))
            except ServiceFailed as failure:
                return paid + failure.usage
            paid += reply.usage
            differ += reply.text[:BEGINNING] != text[:BEGINNING]
            if differ == 0:
                return paid
        if differ == len(samples):
            raise OtherModel(
                f"{self._service.base_url} was lost for a moment and another model answers under the same name now "
                f"(all {len(samples)} greedy completions that were asked for again differ): start the earlier one "
                "again, then go on"
            )
        return paid
