"""A real OpenAI-compatible service on this machine that misbehaves on demand.

    with ServiceServer() as server:                        # rates every answer; the same prompt, the same rating
        ServiceConfig(model="judge", base_url=server.base_url, api_key_variable=None)
    with ServiceServer([busy(0.01), broken()]) as server:  # the first two requests fare badly, the rest well
    with ServiceServer(lambda request: ...) as server:     # a Reaction by content (the request's JSON)

Chats and text completions meet reactions, in the order in which they arrive. What else a server has (models, tokenize,
files, batches...) is given as `pages`. It runs in a thread with an event loop of its own.
"""

import asyncio
import hashlib
import json
import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

Request = dict[str, Any]
"""The JSON that was posted."""

Page = Callable[[str, str, bytes], "Reaction | None"]
"""(method, path, body) → what is there; None where nothing is."""

SCRIPTED = frozenset({"/v1/chat/completions", "/v1/completions"})


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one request meets.

    Attributes:
        body: of the answer, from the request's JSON.
        status: HTTP status.
        headers: further ones.
        seconds: the answer waits this long; infinity hangs.
        gather: it waits until this many requests have been under way at the same time.
        held: it waits for `ServiceServer.release`.
        lost_after: the connection is lost after this many bytes of the body.
        drip: seconds between two bytes of the body.
    """

    body: Callable[[Request], bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    gather: int = 0
    held: bool = False
    lost_after: int | None = None
    drip: float = 0.0


def rating_of(request: Request) -> int:
    """From 1 to 10, by the hash of the prompt."""
    return 1 + int(hashlib.sha256(_prompt(request).encode()).hexdigest(), 16) % 10


def held() -> Reaction:
    """A good answer, once the server is told to release it."""
    return replace(rate(), held=True)


def rate(*, seconds: float = 0.0, gather: int = 0) -> Reaction:
    """A good answer, late if wanted."""
    return Reaction(
        lambda request: completion(request, f"Fair enough. Rating: [[{rating_of(request)}]]"),
        seconds=seconds,
        gather=gather,
    )


def says(words: str | None, finish: str = "stop") -> Reaction:
    """A chat completion with these words: "" for empty content, no rating, one off the scale..."""
    return Reaction(lambda request: completion(request, words, finish))


def sends(body: bytes, content_type: str = "application/json") -> Reaction:
    """Status 200 with any body."""
    return Reaction(lambda _: body, headers={"Content-Type": content_type})


def error(status: int, code: str | None = None, message: str = "as the script says", **headers: str) -> Reaction:
    """An error in OpenAI's form; `Retry_After="1"` becomes a header."""
    body = json.dumps({"error": {"message": message, "type": "scripted", "param": None, "code": code}}).encode()
    return Reaction(lambda _: body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def busy(retry_after: float | str | None = None) -> Reaction:
    """429: slow down; after so many seconds or at an HTTP date where it says so."""
    headers = {} if retry_after is None else {"Retry_After": str(retry_after)}
    return error(429, "rate_limit_exceeded", "slow down", **headers)


def no_quota() -> Reaction:
    """429: the money is spent."""
    return error(429, "insufficient_quota", "you exceeded your current quota")


def too_long() -> Reaction:
    """400, as OpenAI says it."""
    return error(400, "context_length_exceeded", "This model's maximum context length is 8 tokens.")


def unsupported(parameter: str, code: str = "unsupported_parameter") -> Reaction:
    """400: a reasoning model does not take this."""
    fault = {"message": f"Unsupported: '{parameter}'.", "type": "x", "param": parameter, "code": code}
    return Reaction(lambda _: json.dumps({"error": fault}).encode(), 400)


def page(content: object, status: int = 200) -> Reaction:
    """JSON."""
    return Reaction(lambda _: json.dumps(content).encode(), status)


def broken() -> Reaction:
    """500."""
    return error(500, message="it is not you, it is us")


def hang() -> Reaction:
    """Never an answer."""
    return Reaction(lambda _: b"", seconds=math.inf)


def drip() -> Reaction:
    """A byte now and then, for ever: no single read takes long."""
    return Reaction(lambda _: b" " * 100_000, drip=0.02)


def lost() -> Reaction:
    """The connection breaks in the middle of the body."""
    return Reaction(lambda request: completion(request, "Rating: [[7]]"), lost_after=20)


def completion(request: Request, words: str | None, finish: str = "stop") -> bytes:
    """A chat or text completion, whichever was asked for; a token is what stands between white space."""
    read, written = len(_prompt(request).split()), len((words or "").split())
    said = {"message": {"role": "assistant", "content": words}} if "messages" in request else {"text": words}
    return json.dumps(
        {
            "id": "completion-test",
            "created": 0,
            "model": request.get("model", ""),
            "choices": [{"index": 0, "finish_reason": finish, **said}],
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        }
    ).encode()


def _prompt(request: Request) -> str:
    if "messages" in request:
        return "\n".join(str(message["content"]) for message in request["messages"])
    prompt = request["prompt"]
    return prompt if isinstance(prompt, str) else " ".join(map(str, prompt))


Script = Iterable[Reaction] | Callable[[Request], Reaction]


class ServiceServer:
    """The service, from `with` to its end.

    Attributes:
        requests: the JSON of every chat and completion so far, in the order of arrival.
        authorizations: their Authorization headers.
        in_flight: requests under way now.
        max_in_flight: most requests that were under way at the same time.
    """

    def __init__(self, script: Script = (), then: Reaction | None = None, pages: Page | None = None) -> None:
        self._pages = pages or (lambda method, path, body: None)
        self.requests: list[Request] = []
        self.authorizations: list[str] = []
        self.max_in_flight = 0
        self._react = script if callable(script) else None
        self._script = iter(() if callable(script) else script)
        self._then = then or rate()
        self.in_flight = 0
        self._port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="service server", daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def release(self) -> None:
        """Let every held answer go, also those to come."""
        self._loop.call_soon_threadsafe(self._released.set)

    async def _run(self) -> None:
        self._loop, self._arrived = asyncio.get_running_loop(), asyncio.Condition()
        self._stop, self._released = asyncio.Event(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self._exchange(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went, or the server stops
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = start.split(" ")
        if method != "POST" or path not in SCRIPTED:
            found = self._pages(method, path, body) or error(404, message=f"nothing at {path}")
            await self._wait_for(found)
            await _answer(writer, found, {})
            return
        request = json.loads(body)
        self.requests.append(request)
        self.authorizations.append(headers.get("authorization", ""))
        reaction = self._react(request) if self._react else next(self._script, self._then)
        await self._under_way(reaction.gather, 1)
        try:
            await self._wait_for(reaction)
        finally:
            await self._under_way(0, -1)
        await _answer(writer, reaction, request)

    async def _wait_for(self, reaction: Reaction) -> None:
        await asyncio.sleep(min(reaction.seconds, 86_400))
        if reaction.held:
            await self._released.wait()

    async def _under_way(self, gather: int, change: int) -> None:
        async with self._arrived:
            self.in_flight += change
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            self._arrived.notify_all()
            await self._arrived.wait_for(lambda: self.max_in_flight >= gather)


async def _answer(writer: asyncio.StreamWriter, reaction: Reaction, request: Request) -> None:
    body = reaction.body(request)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))} | reaction.headers
    lines = [f"HTTP/1.1 {reaction.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    if reaction.drip:
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(reaction.drip)
    writer.write(body[: reaction.lost_after] if not reaction.drip else b"")
    await writer.drain()
    if reaction.lost_after is not None:
        raise ConnectionResetError("as the script says")
