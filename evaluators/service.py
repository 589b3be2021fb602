"""The one client of an OpenAI-compatible chat service, and the only file that imports `openai`.

Time: `ServiceConfig.timeout` bounds one whole attempt (see `service_transport`). A call takes at most
`(max_retries + 1) * timeout` plus its pauses, each at most 8 s, or what Retry-After says up to 120 s. Waiting for a
free slot is not counted. A pause keeps its slot: a service that asks for less gets less.

Rejected: `asyncio.timeout` around the whole call (a long Retry-After, honoured, would look like a timeout, and the last
attempt would be cut short); an own retry loop (openai's is right once it is told what is not worth a retry).
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from os import environ
from typing import Any, Literal, NoReturn, TypedDict, cast

from openai import APIConnectionError, APIStatusError, APITimeoutError, AsyncOpenAI, OpenAIError
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from configs.schema import ServiceConfig
from evaluators.failures import JudgeFailed, JudgeRefused
from evaluators.service_access import read_key, resolve_address
from evaluators.service_transport import OUT_OF_QUOTA, Attempts, stopped

_QUOTED = 300


class Message(TypedDict):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service said.

    Attributes:
        text: never blank; not stripped.
        prompt_tokens: tokens read, as the service counts them; 0 where it does not say.
        new_tokens: tokens written, likewise.
        finish: the service's word: "stop", "length", "content_filter"...; "" where it does not say.
    """

    text: str
    prompt_tokens: int
    new_tokens: int
    finish: str


class Service:
    """Chat completions, as many at a time as the config allows.

    Nothing is opened before the first call. Connections belong to the event loop they were opened in: another loop gets
    its own, and its own slots.

    Args:
        config: as validated.
        environment: where the key is looked up, by name.

    Raises:
        InputError: no key under that name, or an address that cannot work.
    """

    def __init__(self, config: ServiceConfig, environment: Mapping[str, str] = environ) -> None:
        self.model = config.model
        self.base_url = resolve_address(config.base_url)
        self._config = config
        self._key = read_key(config.api_key_variable, environment)
        self._line: _Line | None = None
        self._closed = False

    async def complete(self, messages: Sequence[Message], temperature: float, max_tokens: int) -> Reply:
        """Answer this chat.

        Raises:
            JudgeFailed: no usable answer to this one, after the retries that the config allows; or closed.
            JudgeRefused: a bad key, a used-up quota, an unknown model: no answer to any.
        """
        line = self._connect()
        async with line.slots:
            request = line.client.chat.completions.create(
                model=self.model,
                messages=cast(list[ChatCompletionMessageParam], list(messages)),
                temperature=temperature,
                max_tokens=max_tokens,
            )
            try:
                answer = await line.call(request)
            except (OpenAIError, ValueError) as error:  # ValueError: a body that is no JSON passes openai unwrapped
                self._blame(error)
        return self._read(answer)

    async def close(self) -> None:
        """Refuse what has not been sent yet, wait for what has been, give connections back. Idempotent; for good."""
        self._closed = True
        line, self._line = self._line, None
        if line is not None and line.loop is asyncio.get_running_loop():
            await line.hang_up()

    def _connect(self) -> "_Line":
        if self._closed:
            raise stopped()
        if self._line is None or self._line.loop is not asyncio.get_running_loop():
            self._line = _Line(self._config, self.base_url, self._key)
        return self._line

    def _read(self, answer: Any) -> Reply:
        # openai validates nothing: a foreign schema arrives as an object with choices=None, HTML arrives as str.
        try:
            choice = answer.choices[0]
            text, finish = choice.message.content, choice.finish_reason
        except (AttributeError, LookupError, TypeError):
            raise JudgeFailed(f"{self.base_url} answered with something that is not a chat completion") from None
        if not isinstance(text, str) or not text.strip():
            hint = "; raise judge.max_tokens" if finish == "length" else ""
            raise JudgeFailed(f"{self.model} answered nothing (finish_reason {self._clean(finish)}){hint}")
        usage = getattr(answer, "usage", None)
        prompt_tokens, new_tokens = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        return Reply(text, prompt_tokens, new_tokens, finish if isinstance(finish, str) else "")

    def _blame(self, error: Exception) -> NoReturn:
        """Raise what this error means, without its chain: a server's words may hold the key, and logs keep them."""
        if isinstance(error, APIStatusError):
            self._blame_status(error)
        attempts = self._config.max_retries + 1
        if isinstance(error, APITimeoutError):
            cause = f"gave no complete answer within {self._config.timeout:g} s (attempts: {attempts})"
        elif isinstance(error, APIConnectionError):
            reason = error.__cause__ or error
            cause = (
                f"lost or refused the connection (attempts: {attempts}; {self._clean(reason) or type(reason).__name__})"
            )
        elif isinstance(error, OpenAIError):
            cause = f"failed: {self._clean(error)}"
        else:
            cause = "answered with a body that is not JSON"
        raise JudgeFailed(f"{self.base_url} {cause}") from None

    def _blame_status(self, error: APIStatusError) -> NoReturn:
        words = self._clean(error.body.get("message") if isinstance(error.body, dict) else error.message)
        if error.status_code == 401:  # its words often hold the key, or most of it
            variable = self._config.api_key_variable
            advice = f"put a valid one into {variable}" if variable else "name its variable as api_key_variable"
            raise JudgeRefused(f"{self.base_url} refused the key (401): {advice}, then resume") from None
        if error.status_code == 402 or error.code in OUT_OF_QUOTA:
            raise JudgeRefused(f"the quota at {self.base_url} is used up: add credit, then resume ({words})") from None
        if error.status_code == 403:
            raise JudgeRefused(f"{self.base_url} does not let this key use {self.model} (403): {words}") from None
        if error.status_code == 404:
            raise JudgeRefused(
                f"{self.base_url} has no model {self.model}, or is not the service's address, which often ends in /v1 "
                f"(404): {words}"
            ) from None
        raise JudgeFailed(f"{self.base_url} answered {error.status_code}: {words}") from None

    def _clean(self, words: object) -> str:
        text = str(words)
        return (text.replace(self._key, "***") if self._config.api_key_variable else text)[:_QUOTED]


class _Line:
    """What belongs to one event loop: connections, slots, the calls under way."""

    def __init__(self, config: ServiceConfig, base_url: str, key: str) -> None:
        self.loop = asyncio.get_running_loop()
        self.slots = asyncio.Semaphore(config.max_in_flight)
        self._attempts = Attempts(config, base_url)
        self._calls: set[asyncio.Task[Any]] = set()
        self.client = AsyncOpenAI(
            api_key=key,
            base_url=base_url,
            timeout=config.timeout,
            max_retries=config.max_retries,
            http_client=self._attempts,
        )

    async def call(self, request: Coroutine[Any, Any, ChatCompletion]) -> ChatCompletion:
        """A task of its own, so that hanging up ends its pauses and the caller can tell this from being cancelled."""
        call = self.loop.create_task(request)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        try:
            return await call
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._attempts.stopping and not (task and task.cancelling()):
                raise stopped() from None
            raise

    async def hang_up(self) -> None:
        self._attempts.stopping = True
        for call in self._calls - self._attempts.sending:
            call.cancel()
        if self._calls:
            await asyncio.wait(self._calls)
        await self.client.close()


def _count(usage: object, name: str) -> int:
    count = getattr(usage, name, None)
    return count if isinstance(count, int) else 0
