"""Chat completions through the Batch API: collected, submitted as one file, looked at, found again after a crash.

A request's custom id is a digest of what is asked, and the number of the draw. So whoever asks for the same draw again,
after a failure or a crash, gets the answer that was paid for, and another draw is never taken for it. Requests of a
batch that fail do so alone, and are asked anew by the next who asks.
"""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from time import time
from typing import Any
from uuid import uuid4

from configs.errors import RunStopped
from configs.plural import show_many
from configs.schema.service import BatchConfig
from workers.service.batch_calls import Body, create_batch, fetch_lines, field, find_batch, reason_of
from workers.service.batch_record import BatchRecord, ServiceBatch
from workers.service.connection import Connection, closed
from workers.service.error_words import OUT_OF_QUOTA
from workers.service.failures import ErrorInReply, NothingThere, ServiceFailed, ServiceRefused
from workers.service.reply import Reply
from workers.usage import NOTHING, Usage

logger = logging.getLogger(__name__)

Line = dict[str, Any]  # of a file of results, with the custom id of a request
Answered = tuple[Line, Reply | Exception]

_OVER = frozenset({"completed", "failed", "expired", "cancelled"})
_FULL = frozenset({"token_limit_exceeded", "request_limit_exceeded"})


class _NeverSent(Exception):
    """The batch that was intended for a request is not at the service."""


class Batches:
    """Belongs to the event loop of its connection.

    Args:
        connection: to the service.
        record: of what was submitted before.
        address: of the service; part of what is asked.
        read: the reply in a chat completion; raises ServiceFailed where there is none.
    """

    def __init__(
        self,
        config: BatchConfig,
        connection: Connection,
        record: BatchRecord,
        address: str,
        read: Callable[[Any], Reply],
    ) -> None:
        self._read = read
        self._config = config
        self._connection = connection
        self._record = record
        self._address = address
        self._waiting: defaultdict[str, list[asyncio.Future[Reply]]] = defaultdict(list)
        self._collected: dict[str, Body] = {}
        self._asked: dict[str, Body] = {}  # of those who wait
        self._alarm: asyncio.TimerHandle | None = None
        self._submissions: set[asyncio.Task[None]] = set()
        self._submitting: set[str] = set()  # marks
        self._watches: dict[str, asyncio.Task[None]] = {}

    async def ask(self, body: Body, draw: int = 0) -> Reply:
        """The reply to one chat.

        Args:
            draw: equal requests of one number share their reply.

        Raises:
            ServiceFailed: this request failed, or its batch; or closed.
            RunStopped: no batch can succeed now.
        """
        text = json.dumps([self._address, body], sort_keys=True)
        request = f"{sha256(text.encode()).hexdigest()[:40]}-{draw}"
        while True:
            with suppress(_NeverSent):
                return await self._ask(request, body)

    async def close(self) -> None:
        """Refuse what has not been submitted, wait for what is being sent, and hang up; what is at the service is found
        again later."""
        if self._alarm is not None:
            self._alarm.cancel()
        for request in list(self._collected):
            self._settle(request, closed())
        self._unwatch()
        await asyncio.gather(self._connection.hang_up(), *self._submissions)
        self._unwatch()
        for request in list(self._waiting):
            self._settle(
                request, ServiceFailed("the service was closed; the batch goes on, and who asks again finds it")
            )

    def _unwatch(self) -> None:
        for watch in self._watches.values():
            watch.cancel()

    async def _ask(self, request: str, body: Body) -> Reply:
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        is_first = all(other.done() for other in self._waiting[request])
        self._waiting[request].append(answer)
        self._asked[request] = body
        try:
            if is_first:
                self._seek(request, body)
            return await answer
        finally:
            self._waiting[request].remove(answer)
            if not self._waiting[request]:
                del self._waiting[request], self._asked[request]
                self._collected.pop(request, None)

    def _seek(self, request: str, body: Body) -> None:
        batch = self._record.holding(request)
        if batch is None:
            self._collect(request, body)
        elif batch.over:
            self._answer(batch, self._decided(batch, self._record.answers(batch)), "")
        elif batch.mark not in self._submitting:  # else it is watched once it has a name
            self._watch(batch)

    # Submitting ---------------------------------------------------------------------------------------------------

    def _collect(self, request: str, body: Body) -> None:
        self._collected[request] = body
        if self._alarm is not None:
            self._alarm.cancel()
        if len(self._collected) >= self._config.max_requests:
            self._submit()
        else:
            self._alarm = asyncio.get_running_loop().call_later(self._config.linger, self._submit)

    def _submit(self) -> None:
        requests, self._collected = self._collected, {}
        if requests:
            task = asyncio.create_task(self._guarded(self._send(requests), tuple(requests)))
            self._submissions.add(task)
            task.add_done_callback(self._submissions.discard)

    async def _send(self, requests: dict[str, Body]) -> None:
        """The record says what is intended before anything is, and the batch's name before anyone waits for it.

        A batch whose submission fails stays intended: it may be at the service all the same, and who asks next looks.
        """
        batch = self._record.intend(uuid4().hex, tuple(requests), time())
        self._submitting.add(batch.mark)
        try:
            self._record.name(batch, await create_batch(self._connection, batch.mark, requests))
        finally:
            self._submitting.discard(batch.mark)
        logger.info("submitted batch %s with %d requests", batch.name, len(requests))
        self._watch(batch)

    # Following ----------------------------------------------------------------------------------------------------

    def _watch(self, batch: ServiceBatch) -> None:
        if batch.mark not in self._watches or self._watches[batch.mark].done():
            self._watches[batch.mark] = asyncio.create_task(self._guarded(self._follow(batch), batch.requests))

    async def _follow(self, batch: ServiceBatch) -> None:
        """Look at a batch until it is over, and tell those who wait."""
        if batch.name is None:
            name = await self._connection.call(lambda client: find_batch(client, batch.mark))
            if name is None:
                self._record.end(batch, [])
                raise _NeverSent
            self._record.name(batch, name)
        outcome = await self._outcome(batch)
        lines = [
            line
            for key in ("output_file_id", "error_file_id")
            for line in await fetch_lines(self._connection, field(outcome, key))
        ]
        decided = self._decided(batch, lines)
        self._record.end(batch, [line for line, reply in decided.values() if isinstance(reply, Reply)])
        self._refuse_full(outcome)
        self._answer(batch, decided, f"says that batch {batch.name} is {field(outcome, 'status')}{reason_of(outcome)}")

    async def _outcome(self, batch: ServiceBatch) -> Any:
        """What the service says of it when it is over."""
        while True:
            try:
                state = await self._connection.call(lambda client: client.get(f"/batches/{batch.name}", cast_to=object))
                if field(state, "status") in _OVER:
                    return state
            except NothingThere:
                self._record.end(batch, [])
                raise self._failed(
                    f"no longer knows batch {batch.name}: ask again, and a new one is submitted"
                ) from None
            except ServiceFailed as error:  # a batch outlives many a bad connection
                logger.warning("the state of batch %s cannot be read: %s", batch.name, error)
            if time() > batch.submitted + self._config.max_wait:
                raise self._failed(
                    f"has not finished batch {batch.name} after {self._config.max_wait:g} s (service.batch.max_wait): "
                    "ask again later, and its answers are collected"
                )
            await asyncio.sleep(self._config.poll)

    def _refuse_full(self, outcome: Any) -> None:
        """Raise what makes every further batch fail as well."""
        errors = field(field(outcome, "errors"), "data")
        codes = {str(field(error, "code")) for error in errors} if isinstance(errors, list) else set()
        words = self._connection.errors.clean(reason_of(outcome))
        if codes & OUT_OF_QUOTA:
            raise ServiceRefused(f"the quota at {self._address} is used up{words}: add credit, then go on")
        if codes & _FULL:
            raise ServiceRefused(
                f"{self._address} accepts no batch of this size at present{words}: lower service.batch.max_requests, "
                "or go on when others have finished"
            )

    # Settling -----------------------------------------------------------------------------------------------------

    def _answer(self, batch: ServiceBatch, decided: Mapping[str, Answered], otherwise: str) -> None:
        """Tell those who wait for this batch; `otherwise` is for those of whom it says nothing."""
        for request in batch.requests:
            nothing = f"{otherwise}, without an answer to this request"
            self._settle(request, decided[request][1] if request in decided else self._failed(nothing))

    def _decided(self, batch: ServiceBatch, lines: Sequence[Line]) -> dict[str, Answered]:
        """Choose the line that counts for each request of this batch, and read it."""
        by_request: defaultdict[str, list[Answered]] = defaultdict(list)
        for line in lines:
            by_request[line["custom_id"]].append((line, self._reply(line)))
        strangers = by_request.keys() - {*batch.requests}
        if strangers:
            logger.warning(
                "batch %s holds answers to %s that it was not asked: they are left out",
                batch.name,
                show_many(len(strangers), "request"),
            )
        return {request: self._one_of(by_request[request]) for request in batch.requests if request in by_request}

    def _one_of(self, answered: Sequence[Answered]) -> Answered:
        """Choose among the answers to one request: any reply where all are equal; none where they differ, since nobody
        knows which is meant."""
        replies = [(line, reply) for line, reply in answered if isinstance(reply, Reply)]
        if not replies:
            return answered[0]
        line, first = replies[0]
        if all(replace(reply, usage=first.usage) == first for _, reply in replies):
            return line, first
        paid = sum((reply.usage for _, reply in replies), NOTHING)
        return line, self._failed(f"gave a batched request {len(replies)} answers that differ", paid)

    def _reply(self, line: Line) -> Reply | Exception:
        """What one request was answered."""
        response = line.get("response")
        status, body = field(response, "status_code"), field(response, "body")
        sent_fields = self._asked.get(line["custom_id"], {})
        if not isinstance(status, int):
            reason = field(line.get("error"), "message") or field(line.get("error"), "code") or "no reason given"
            return self._failed(f"did not answer a batched request: {reason}")
        if status != 200:
            return self._connection.errors.read_status(status, field(body, "error") or body, {}, sent_fields).failure
        try:
            return self._read(body)
        except ServiceFailed as error:
            if isinstance(error, ErrorInReply):
                error.sent_fields = sent_fields
            return self._connection.errors.read(error).failure

    async def _guarded(self, work: Coroutine[Any, Any, None], requests: Sequence[str]) -> None:
        """What goes wrong is told to those who wait."""
        outcome: Exception
        try:
            await work
            return
        except (_NeverSent, ServiceFailed, RunStopped) as error:
            outcome = error
        except Exception as error:  # a record that cannot be written, an answer of another form: nobody may wait on
            outcome = self._failed(f"has a batch that cannot be followed ({type(error).__name__}: {error})")
        for request in requests:
            self._settle(request, outcome)

    def _failed(self, words: str, usage: Usage = NOTHING) -> Exception:
        return self._connection.errors.read(ServiceFailed(words, usage)).failure

    def _settle(self, request: str, outcome: Reply | Exception) -> None:
        for waiting in self._waiting.get(request, ()):
            if waiting.done():
                continue
            if isinstance(outcome, Exception):
                waiting.set_exception(outcome)
            else:
                waiting.set_result(outcome)
