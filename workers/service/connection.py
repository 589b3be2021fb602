"""What belongs to one event loop: connections, the gate, the calls under way."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any, TypeVar

from openai import AsyncOpenAI, OpenAIError

from configs.schema.service import ServiceConfig
from workers.service.access import Access, is_openai
from workers.service.activity import ServiceActivity
from workers.service.concurrency import Gate, Limit
from workers.service.error_mapping import ClassifiedError, ErrorReader
from workers.service.failures import BadRequest, ContentFiltered, ServiceFailed
from workers.service.http_client import open_client
from workers.service.retry import Outage, Retries

logger = logging.getLogger(__name__)

T = TypeVar("T")
Send = Callable[[AsyncOpenAI], Awaitable[T]]
"""Asks once and reads the answer; raises ServiceFailed where it says nothing."""


class Connection:
    """A connection to a service: one client, its retries and its limit on concurrency.

    Args:
        config: as validated.
        access: as read from the environment.

    Attributes:
        losses: how often it was lost or could not be made; who answers afterwards may be another server.
    """

    def __init__(self, config: ServiceConfig, access: Access) -> None:
        self.loop = asyncio.get_running_loop()
        self.losses = 0
        self._config = config
        self.errors = ErrorReader(config, access.shown_url, access.redactor)
        self._gate = Gate(Limit(config.max_in_flight))
        self._outage = Outage(config.outage)
        self._random = random.Random(random.random())  # noqa: S311 -- jitter; a simulation seeds the module's own
        self._callers = count()
        self._calls: set[asyncio.Task[Any]] = set()
        self._sending: set[asyncio.Task[Any] | None] = set()
        self._stopping = False
        self._retries = self._slow_downs = 0
        self._client = AsyncOpenAI(
            api_key=access.key,
            base_url=access.base_url,
            timeout=config.timeout,
            max_retries=0,
            default_headers=access.headers,
            http_client=open_client(access.base_url, access.redactor),
        )
        assert hasattr(self._client, "_custom_headers")
        self._client._custom_headers = access.headers  # OPENAI_CUSTOM_HEADERS would add to them, another key even
        if not is_openai(access.base_url):  # nobody else is told whose account it is
            self._client.organization = self._client.project = None

    async def call(self, send: Send[T]) -> T:
        """Ask until there is an answer, as `workers.service.retry` has it."""
        return await self._unless_closed(lambda: self._persist(send))

    async def try_once(self, send: Send[T], seconds: float) -> T:
        """Ask once, past the gate, and not for long. Raises ServiceFailed and RunStopped where there is no answer."""
        try:
            async with asyncio.timeout(seconds):
                outcome = await self._unless_closed(lambda: self._attempt(send))
        except TimeoutError as error:
            outcome = self.errors.read(error, seconds)
        if isinstance(outcome, ClassifiedError):
            raise outcome.failure
        return outcome

    async def _unless_closed(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Ask in a task of its own, so that hanging up ends its pauses and the caller can tell this from being
        cancelled."""
        if self._stopping:
            raise closed()
        call = self.loop.create_task(ask())
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        try:
            return await call
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._stopping and not (task and task.cancelling()):
                raise closed() from None
            raise

    def activity(self) -> ServiceActivity:
        gate = self._gate
        return ServiceActivity(
            in_flight=gate.in_flight,
            limit=gate.limit.value,
            waiting=gate.waiting,
            answered=self._outage.answers,
            retries=self._retries,
            slow_downs=self._slow_downs,
            paused=gate.paused,
            seconds_busy=gate.passed.seconds,
        )

    async def hang_up(self) -> None:
        """Refuse what is not being sent, wait for the rest. Idempotent; for good."""
        self._stopping = True
        for call in self._calls - self._sending:
            call.cancel()
        if self._calls:
            await asyncio.wait(self._calls)
        await self._client.close()

    async def _persist(self, send: Send[T]) -> T:
        retries = Retries(self._config, self._outage, next(self._callers), self._random)
        while True:
            async with self._gate.passing() as ticket:
                began = self.loop.time()
                retries.begin(began)
                outcome = await self._attempt(send)
                if isinstance(outcome, ClassifiedError):
                    self._note(outcome)
                    if outcome.congestion:
                        self._gate.limit.congested(ticket)
                else:
                    self._outage.answered(self.loop.time())
                    self._gate.limit.answered(self._gate.in_flight)
                    return outcome
            pause = retries.pause(outcome, began, self.loop.time())
            if self._stopping:
                raise closed()
            self._retries += 1
            await asyncio.sleep(pause)

    async def _attempt(self, send: Send[T]) -> T | ClassifiedError:
        """Once, and bounded as a whole: httpx bounds each read alone, so that a server which drips a byte now and then
        could hold a request for ever."""
        task = asyncio.current_task()
        self._sending.add(task)
        try:
            async with asyncio.timeout(self._config.timeout):
                return await send(self._client)
        except (OpenAIError, ServiceFailed, TimeoutError, ValueError, RecursionError) as error:
            return self.errors.read(error)
        finally:
            self._sending.discard(task)

    def _note(self, error: ClassifiedError) -> None:
        """What an error means for everyone."""
        self.losses += error.lost
        if error.pause:
            self._gate.pause(error.pause)
        if error.slow_down:
            self._slow_downs += 1
        if isinstance(error.failure, BadRequest | ContentFiltered):
            self._outage.answered(self.loop.time())
        logger.debug("an attempt failed: %s", error.failure)


def closed() -> ServiceFailed:
    """The failure of everyone whose request is not under way when the service is closed."""
    return ServiceFailed("the service was closed before it was asked")
