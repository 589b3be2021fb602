"""A TextModel behind an OpenAI-compatible server that somebody else runs: vLLM, SGLang, llama.cpp, a hosted one."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from os import environ
from typing import Any, TypeVar

from configs.errors import RunStopped
from configs.schema.model import ServedModelConfig
from workers.activity import Timesheet, WorkersActivity
from workers.failures import GenerationFailed, ModelClosed, PromptTooLong, gravest
from workers.prompt import Completion, Continuations, Decoding, Likelihood, PromptBlock
from workers.served_model.completion import cut_at_stop
from workers.served_model.lengths import Lengths
from workers.served_model.likelihood import read_likelihood
from workers.served_model.same_server import SameServer
from workers.served_model.server_probe import Server, meet
from workers.served_model.token_counting import TokenizerCounter, load_tokenizer
from workers.service.failures import RequestTooLong, ServiceFailed
from workers.service.reply import read_usage
from workers.service.server_dialects import completion_fields, idle_fields
from workers.service.service import Service
from workers.text_model import ModelCard
from workers.usage import NOTHING, Usage

logger = logging.getLogger(__name__)

T = TypeVar("T")
Prompt = str | Sequence[int]

REMEMBERED = 64
"""Prefixes believed to be in the server's cache."""


class ServedModel:
    """One server; each prompt is one request, as many at a time as the server bears (`workers.service`).

    Lengths are counted by the server, or by `model.tokenizer` where the server cannot, else estimated; see
    `token_counting.EstimatedCounter`. What an estimate lets pass and the server refuses is a PromptTooLong
    all the same.

    The server's order of sampling steps and its random numbers are its own: greedy completions are those of
    `TransformersEngine` up to rounding, sampled ones are not.

    Args:
        config: as validated.
        environment: where the key is looked up, by name.

    Raises:
        InputError: no key under that name, or an address that cannot work.
    """

    def __init__(self, config: ServedModelConfig, environment: Mapping[str, str] = environ) -> None:
        self._config = config
        self._service = Service(config.service, environment)
        self._probe = Service(config.service, environment)
        self._tokenizer: TokenizerCounter | None = None
        self._server: Server | None = None
        self._lengths: Lengths  # known, as the next, once the server is
        self._same: SameServer
        self._meeting = asyncio.Lock()
        self._warmed: OrderedDict[bytes, asyncio.Task[None]] = OrderedDict()
        self._timesheet = Timesheet()
        self._open = self._tokens = 0
        self._extra = NOTHING
        self._closed = False

    async def start(self) -> ModelCard:
        """Ask the server who it is, and load the tokenizer if there is one."""
        return (await self._meet()).card

    async def server_version(self) -> str | None:
        """The version of the server's program; None where it does not say."""
        return (await self._meet()).version

    async def count_tokens(self, block: PromptBlock) -> tuple[int, ...]:
        """See `Engine.count_tokens`; an estimate where neither the server nor a tokenizer counts."""
        server = await self._meet()
        self._refuse_bos(block, server)
        return await self._lengths.of(block)

    async def generate(self, block: PromptBlock, decoding: Decoding) -> AsyncIterator[tuple[int, Completion]]:
        server = await self._meet()
        prompts = await self._prompts(block, server)
        await self._lengths.refuse_long(block, [decoding.max_new_tokens] * len(prompts))
        await self._warm(block)
        fields = completion_fields(decoding, block.bos, server.dialect, server.card.context_tokens)
        optional = idle_fields(fields)
        same = self._same

        async def ask(index: int) -> Completion:
            try:
                reply = await self._service.complete(prompts[index], fields, optional)
            except RequestTooLong:
                raise await self._lengths.too_long(block, index, decoding.max_new_tokens) from None
            except ServiceFailed as failure:
                self._extra += failure.usage
                raise
            try:
                self._extra += await same.confirm()
            except RunStopped:
                self._extra += reply.usage
                raise
            if not decoding.temperature:
                same.remember(prompts[index], fields, reply.text)
            self._tokens += reply.new_tokens
            completion = cut_at_stop(reply, decoding)
            room = server.card.context_tokens - reply.prompt_tokens
            was_cut = completion.finish == "length" and decoding.max_new_tokens > room and not completion.estimated
            if was_cut:  # short of what was asked for, and nobody had counted
                self._extra += reply.usage
                raise PromptTooLong(reply.prompt_tokens, decoding.max_new_tokens, server.card.context_tokens)
            return completion

        async for pair in self._each(len(prompts), ask):
            yield pair

    async def score(self, block: PromptBlock, continuations: Continuations) -> AsyncIterator[tuple[int, Likelihood]]:
        """See `Engine.score`; read off the prompt's log-probabilities, which not every server gives.

        Raises:
            GenerationFailed: also where the server gives none.
        """
        server = await self._meet()
        if not server.dialect.echoes:
            raise GenerationFailed(f"{server.card.device} gives no log-probabilities of a prompt, so it cannot score")
        prompts = await self._prompts(block, server)
        given = await self._continued(block, continuations, prompts)
        lengths = await self._lengths.refuse_long_with(block, continuations)
        special = {"add_special_tokens": block.bos} if server.dialect.spells_bos else {}
        fields = {"max_tokens": 1, "temperature": 0.0, "echo": True, "logprobs": 1, **special}

        async def ask(index: int) -> Likelihood:
            whole, continuation = given[index]
            body = {"model": self._service.model, "prompt": whole} | fields

            def read(body: Any) -> Likelihood:
                self._extra += read_usage(body, self._config.service)  # paid for, whether it can be read or not
                return read_likelihood(body, continuation)

            try:
                return await self._service.post("/completions", body, read)
            except RequestTooLong:
                raise await self._lengths.too_long(block, index, lengths[index]) from None

        async for pair in self._each(len(prompts), ask):
            yield pair

    def activity(self) -> WorkersActivity:
        alive, busy = self._note()
        service = self._service.activity()
        return WorkersActivity(
            alive,
            busy,
            queued=service.waiting,
            tokens=self._tokens,
            seconds_alive=self._timesheet.alive,
            seconds_busy=self._timesheet.busy,
            waiting=service.waiting,
            answering=service.in_flight,
        )

    def paid_beside(self) -> Usage:
        """See `PaysBeside`: prefixes warmed, likelihoods, and answers that cannot be used."""
        paid, self._extra = self._extra, NOTHING
        return paid

    async def close(self) -> None:
        """What has been sent is waited for; nothing more is."""
        self._closed = True
        self._note()
        await self._service.close()
        await self._probe.close()

    # Getting ready ------------------------------------------------------------------------------------------------

    async def _meet(self) -> Server:
        if self._closed:
            raise ModelClosed()
        async with self._meeting:
            if self._server is None:
                self._tokenizer = await asyncio.to_thread(load_tokenizer, self._config)
                self._server = await meet(self._config, self._service)
                self._lengths = Lengths(self._service, self._server, self._tokenizer)
                self._same = SameServer(self._config, self._service, self._probe, self._server)
                self._note()
        return self._server

    async def _prompts(self, block: PromptBlock, server: Server) -> Sequence[Prompt]:
        self._refuse_bos(block, server)
        texts = [block.prompt(index) for index in range(len(block.suffixes))]
        if self._config.send == "tokens" and self._tokenizer is not None:
            return await self._tokenizer.encode(texts, block.bos)
        return texts

    async def _continued(
        self, block: PromptBlock, continuations: Continuations, prompts: Sequence[Prompt]
    ) -> list[tuple[Prompt, str | int]]:
        """Each prompt with its continuation behind it, and that continuation as `read_likelihood` wants it."""
        texts = [block.prompt(index) + text for index, text in enumerate(continuations.texts)]
        if self._config.send == "text" or self._tokenizer is None:
            return list(zip(texts, continuations.texts, strict=True))
        wholes = await self._tokenizer.encode(texts, block.bos)
        alone = await self._tokenizer.encode(continuations.texts, special=False)
        joined: list[tuple[Prompt, str | int]] = []
        for prompt, whole, own in zip(prompts, wholes, alone, strict=True):
            tokens = whole if whole[: len(prompt)] == prompt and len(whole) > len(prompt) else [*map(int, prompt), *own]
            joined.append((tokens, len(tokens) - len(prompt)))
        return joined

    def _refuse_bos(self, block: PromptBlock, server: Server) -> None:
        if not block.bos and self._config.send == "text" and not server.dialect.spells_bos:
            raise GenerationFailed(
                f"{server.card.device} puts a begin-of-text token of its own before a prompt that has one: set "
                "model.send to tokens and give model.tokenizer"
            )

    async def _warm(self, block: PromptBlock) -> None:
        """Have the server compute the prefix once; whoever shares it waits for the same request."""
        if not self._config.warm_prefix or not block.prefix or len(block.suffixes) < 2:
            return
        key = sha256(f"{block.bos}{block.prefix}".encode()).digest()
        if key not in self._warmed:
            self._warmed[key] = asyncio.create_task(self._send_prefix(block))
            if len(self._warmed) > REMEMBERED:
                self._warmed.popitem(last=False)
        self._warmed.move_to_end(key)
        try:
            await asyncio.shield(self._warmed[key])
        except ServiceFailed as error:
            self._warmed.pop(key, None)  # the prompts themselves will tell whether it matters
            logger.debug("a prefix was not warmed: %s", error)

    async def _send_prefix(self, block: PromptBlock) -> None:
        server = await self._meet()
        prompt = (await self._prompts(PromptBlock(block.prefix, ("",), block.bos), server))[0]
        try:
            asked = completion_fields(Decoding(1), block.bos, server.dialect, server.card.context_tokens)
            reply = await self._service.complete(prompt, asked, idle_fields(asked))
        except ServiceFailed as failure:
            self._extra += failure.usage
            raise
        self._extra += reply.usage

    # Asking -------------------------------------------------------------------------------------------------------

    async def _each(self, number: int, ask: Callable[[int], Awaitable[T]]) -> AsyncIterator[tuple[int, T]]:
        """Ask all at once, yield answers as they come; the gravest failure is raised behind the last answer."""
        outbox = asyncio.Queue[asyncio.Task[tuple[int, T]]]()

        async def numbered(index: int) -> tuple[int, T]:
            return index, await ask(index)

        tasks = [asyncio.create_task(numbered(index)) for index in range(number)]
        for task in tasks:
            task.add_done_callback(outbox.put_nowait)
        failures: list[GenerationFailed] = []
        self._open += 1
        self._note()
        try:
            for _ in range(number):
                done = await outbox.get()
                try:
                    pair = done.result()
                except ServiceFailed as error:
                    failures.append(GenerationFailed(str(error)))
                except GenerationFailed as error:
                    failures.append(error)
                else:
                    yield pair
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._open -= 1
            self._note()
        if self._closed and failures:
            raise ModelClosed()
        if failures:
            raise gravest(failures)

    def _note(self) -> tuple[int, int]:
        alive = int(self._server is not None and not self._closed)
        busy = int(bool(alive and self._open))
        self._timesheet.note(alive, busy)
        return alive, busy
