"""An engine whose model runs in a server that it has started: to the others of a worker group it is an engine like any.

Everything that is asked goes through `ServedModel`, in an event loop of its own thread. What a server's death has left
unanswered is asked again when it is back.
"""

import asyncio
import json
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version as installed
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from configs.errors import InputError, RunStopped
from configs.schema.model import ServedModelConfig, StartedServerConfig
from workers.failures import GenerationFailed
from workers.file_digest import digest_file
from workers.messages import Answered, Ended
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock
from workers.served_model.model import ServedModel
from workers.started_server.server_process import ServerBroken, ServerProcess
from workers.task import answers_of_one_job
from workers.text_model import ModelCard

VERSION = "started-server/2"
UNANSWERED = (GenerationFailed, InputError, RunStopped)  # what a server's death looks like
_TURN = 0.2  # seconds that a step waits for an answer, so that further jobs can join
T = TypeVar("T")


class ServerEngine:
    """A `workers.text_model.BatchingEngine` on a started server. The server ends when the engine is let go of, at the
    latest with this process.

    Args:
        server: started.
        model: that asks it.
        loop: runs in a thread of its own.
        card: see `ModelCard`.
        most: prompts under way at the same time, at most.
    """

    def __init__(
        self, server: ServerProcess, model: ServedModel, loop: asyncio.AbstractEventLoop, card: ModelCard, most: int
    ) -> None:
        self._server = server
        self._model = model
        self._loop = loop
        self._card = card
        self._most = most
        weakref.finalize(self, _end, server, loop)

    @classmethod
    def load(cls, config: StartedServerConfig) -> "ServerEngine":
        """Start a server, and wait until it answers; also one that dies meanwhile. Raises InputError where it cannot be
        had."""
        identity = _identity(config)
        server = ServerProcess(config)
        server.start()
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="demosearch server client", daemon=True).start()
        model = ServedModel(_served(config, server.base_url), {})
        try:
            met = _outlived(server, lambda: _wait(loop, model.start()))
            version = _outlived(server, lambda: _wait(loop, model.server_version()))
        except ServerBroken as error:
            _end(server, loop)
            raise InputError(str(error)) from error
        except BaseException:
            _end(server, loop)
            raise
        return cls(server, model, loop, _card(config, identity, met, version, server), config.max_in_flight)

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def port(self) -> int:
        """The server's, on this machine."""
        return self._server.port

    def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        """See `Engine.count_tokens`; an estimate where neither the server nor a tokenizer counts."""
        return _outlived(self._server, lambda: _wait(self._loop, self._model.count_tokens(block)))

    def generate(self, block: PromptBlock, decoding: Decoding) -> Iterator[tuple[int, Completion]]:
        """See `Engine.generate`; whatever is raised is raised while iterating."""
        batch = self.batch(decoding)
        batch.add(0, block)
        yield from answers_of_one_job(batch)

    def score(self, block: PromptBlock, continuations: Continuations) -> Iterator[tuple[int, Likelihood]]:
        """See `Engine.score`; read off the server's log-probabilities of a prompt."""

        async def collect() -> list[tuple[int, Likelihood]]:
            return [pair async for pair in self._model.score(block, continuations)]

        yield from _outlived(self._server, lambda: _wait(self._loop, collect()))

    def batch(self, decoding: Decoding) -> "ServerBatch":
        """A batch without jobs."""

        def ask(block: PromptBlock) -> AsyncIterator[tuple[int, Completion]]:
            return self._model.generate(block, decoding)

        return ServerBatch(self._server, self._loop, ask, self._most)


class ServerBatch:
    """A `workers.text_model.Batch`: every prompt is a request, and the server decides which are decoded together.

    Args:
        ask: the model's answers to a block.
        most: prompts under way, beyond which no further job joins.
    """

    def __init__(
        self,
        server: ServerProcess,
        loop: asyncio.AbstractEventLoop,
        ask: Callable[[PromptBlock], AsyncIterator[tuple[int, Completion]]],
        most: int,
    ) -> None:
        self._server, self._loop, self._ask, self._most = server, loop, ask, most
        self._open: dict[int, int] = {}  # unanswered prompts of each job
        self._tasks: dict[int, Future[None]] = {}
        self._messages: SimpleQueue[Answered | Ended] = SimpleQueue()

    def has_room(self) -> bool:
        return sum(self._open.values()) < self._most

    def add(self, job: int, block: PromptBlock) -> None:
        self._open[job] = len(block.suffixes)
        self._tasks[job] = asyncio.run_coroutine_threadsafe(self._perform(job, block), self._loop)

    def drop(self, job: int) -> None:
        self._open.pop(job, None)
        if (task := self._tasks.pop(job, None)) is not None:
            task.cancel()

    def step(self) -> Sequence[Answered | Ended]:
        """What has come since the last step; waits a moment for a first message."""
        messages = []
        with suppress(Empty):
            messages.append(self._messages.get(timeout=_TURN))
            while True:
                messages.append(self._messages.get_nowait())
        return [message for message in messages if self._counts(message)]

    def _counts(self, message: Answered | Ended) -> bool:
        """Note the message; false for one of a job that was dropped."""
        if message.job not in self._open:
            return False
        if isinstance(message, Ended):
            self._open.pop(message.job)
            self._tasks.pop(message.job)
        else:
            self._open[message.job] -= 1
        return True

    async def _perform(self, job: int, block: PromptBlock) -> None:
        try:
            missing = list(range(len(block.suffixes)))
            while missing:
                missing = await self._answer(job, block, missing)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # the consumer decides what it means
            self._messages.put(Ended(job, error))
        else:
            self._messages.put(Ended(job))

    async def _answer(self, job: int, block: PromptBlock, wanted: list[int]) -> list[int]:
        """Ask for these suffixes' answers. Returns those that a death of the server has left unanswered."""
        deaths, left = self._server.deaths, list(wanted)
        part = PromptBlock(block.prefix, tuple(block.suffixes[index] for index in wanted), block.bos)
        try:
            async for place, completion in self._ask(part):
                left.remove(wanted[place])
                self._messages.put(Answered(job, wanted[place], completion))
        except UNANSWERED:
            if not await asyncio.to_thread(self._server.has_died_since, deaths):
                raise
            await asyncio.to_thread(self._server.wait_until_well)
        return left


def _outlived(server: ServerProcess, ask: Callable[[], T]) -> T:
    """What the server answers; asked again when it is back where it has died meanwhile. Raises ServerBroken where it
    does not come back."""
    while True:
        deaths = server.deaths
        try:
            return ask()
        except UNANSWERED:
            if not server.has_died_since(deaths):
                raise
            server.wait_until_well()


def _wait(loop: asyncio.AbstractEventLoop, work: Awaitable[T]) -> T:
    async def run() -> T:
        return await work

    return asyncio.run_coroutine_threadsafe(run(), loop).result()


def _end(server: ServerProcess, loop: asyncio.AbstractEventLoop) -> None:
    server.close()
    with suppress(RuntimeError):  # it is closed already
        loop.call_soon_threadsafe(loop.stop)


def _served(config: StartedServerConfig, base_url: str) -> ServedModelConfig:
    """How the server is asked."""
    kind = "transformers" if config.engine == "transformers_serve" else config.engine
    tokenizer = config.tokenizer or (config.name if kind == "transformers" else None)
    service: dict[str, Any] = {
        "model": config.name,
        "base_url": base_url,
        "api_key_variable": None,
        "max_in_flight": config.max_in_flight,
        "timeout": config.timeout,
        "max_retries": 1,  # what a dead server leaves unanswered is asked again by `ServerBatch`
    }
    return ServedModelConfig.model_validate(
        {
            "engine": "served",
            "server": kind,
            "service": service,
            "tokenizer": tokenizer,
            "tokenizer_revision": config.revision if tokenizer == config.name else None,
            "context_tokens": config.context_tokens,
            "warm_prefix": config.warm_prefix,
        }
    )


def _card(
    config: StartedServerConfig, identity: str, met: ModelCard, version: str | None, server: ServerProcess
) -> ModelCard:
    """Equal on all workers: what the server says of itself holds its address."""
    if version is None and config.engine == "transformers_serve" and not config.command:
        version = installed("transformers")
    settings = {"dtype": config.dtype, "context_tokens": config.context_tokens, "arguments": config.arguments}
    gpus = f" on GPU {', '.join(server.gpus)}" if server.gpus else ""
    return replace(
        met,
        fingerprint=f"{identity} {VERSION} {config.engine} {version or 'of no version'} {json.dumps(settings)}",
        device=f"{config.engine}{gpus}",
    )


def _identity(config: StartedServerConfig) -> str:
    """The weights that the server will load. Raises InputError where there are none."""
    path = Path(config.name)
    if path.is_file():
        return f"{path.name}@sha256:{digest_file(path)}"
    from workers.shared_prefix import weights  # noqa: PLC0415 -- torch

    return weights.find(config).identity
