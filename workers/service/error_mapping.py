"""Why an attempt got no reply, in the words of `workers.service.failures`, without any of the key's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

from configs.errors import RunStopped
from configs.schema.service import ServiceConfig
from workers.service.failures import (
    BadRequest,
    ContentFiltered,
    NothingThere,
    ReplyUnusable,
    RequestTooLong,
    ServiceFailed,
    ServiceRefused,
    ServiceSilent,
)

OUT_OF_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
"""Error codes that no waiting cures, though they come with 429."""

UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value"})
"""Error codes of a field, or a value of it, that a model does not take."""

_SLOW_DOWN = frozenset({429, 503, 529})
_PASSING = frozenset({408, 409, 425}) | _SLOW_DOWN
# As OpenAI, vLLM, SGLang, llama.cpp's server, llama-cpp-python and text-generation-inference put it.
_TOO_LONG = re.compile(
    r"context[ _](length|window|size)|maximum model length|max_total_tokens|`inputs` tokens|prompt is too long", re.I
)
_FILTERED = re.compile(r"content.?(filter|policy|management)|flagged|moderation", re.I)
_QUOTED = 300


@dataclass(frozen=True, slots=True)
class ClassifiedError:
    """Attributes:
    failure: to raise, once it is final.
    passing: another attempt may fare better.
    congestion: the service has more to do than it can: "slow down", or no answer in time.
    slow_down: it says so itself.
    pause: seconds it wants everyone to wait; None where it does not say.
    silent: it says nothing about this one request, only about the service.
    """

    failure: ServiceFailed | RunStopped
    passing: bool = False
    congestion: bool = False
    slow_down: bool = False
    pause: float | None = None
    silent: bool = False


class ErrorReader:
    """Args:
    config: of the service.
    base_url: where it is.
    key: never repeated.
    """

    def __init__(self, config: ServiceConfig, base_url: str, key: str) -> None:
        self._config = config
        self._base_url = base_url
        self._key = key if config.api_key_variable else ""

    def read(self, error: Exception) -> ClassifiedError:
        """What this error means. ServiceFailed: raised while a reply was read."""
        if isinstance(error, ServiceFailed):
            kind = type(error)
            return ClassifiedError(
                kind(self._sentence(str(error)), error.usage), silent=isinstance(error, ReplyUnusable)
            )
        if isinstance(error, APIStatusError):
            return self.read_status(error.status_code, error.body, error.response.headers)
        if isinstance(error, TimeoutError | APITimeoutError):
            words = f"gave no complete answer within {self._config.timeout:g} s"
            return ClassifiedError(ServiceSilent(self._sentence(words)), passing=True, congestion=True, silent=True)
        if isinstance(error, APIConnectionError):
            reason = error.__cause__ or error
            words = f"lost or refused the connection ({self.clean(reason) or type(reason).__name__})"
            return ClassifiedError(ServiceSilent(self._sentence(words)), passing=True, silent=True)
        if isinstance(error, OpenAIError):
            return ClassifiedError(ServiceFailed(self._sentence(f"failed: {error}")))
        return ClassifiedError(  # a ValueError: openai lets it through unwrapped
            ReplyUnusable(self._sentence("answered with a body that is not JSON")), passing=True, silent=True
        )

    def read_status(self, status: int, body: object, headers: Mapping[str, Any]) -> ClassifiedError:
        """What an answer with an error status means.

        Args:
            body: the error in the body, or the body where there is none in it.
        """
        told: dict[str, Any] = body if isinstance(body, dict) else {"message": body}
        words = self.clean(told.get("message") or told.get("detail") or "no reason given")
        code, parameter = str(told.get("code") or told.get("type")), told.get("param")
        final = self._refusal(status, code, words) or self._rejection(status, code, parameter, words)
        if final is not None:
            return ClassifiedError(final)
        advice = headers.get("x-should-retry")  # openai's servers know best
        passing = advice != "false" and (status in _PASSING or status >= 500 or advice == "true")
        slow_down = status in _SLOW_DOWN
        return ClassifiedError(
            ServiceFailed(self._sentence(f"answered {status}: {words}")),
            passing=passing,
            congestion=slow_down,
            slow_down=slow_down,
            pause=pause_asked(headers, time()) if passing else None,
            silent=passing and status != 500,  # often the fault of the one request it answers
        )

    def _refusal(self, status: int, code: str, words: str) -> ServiceRefused | None:
        """What no request can pass until a person acts."""
        where, model = self._base_url, self._config.model
        if status == 401:  # its words often hold the key, or most of it
            variable = self._config.api_key_variable
            advice = f"put a valid one into {variable}" if variable else "name its variable as api_key_variable"
            return ServiceRefused(f"{where} refused the key (401): {advice}, then resume")
        if status == 402 or code in OUT_OF_QUOTA:
            return ServiceRefused(f"the quota at {where} is used up: add credit, then resume ({words})")
        if status == 403 and not _FILTERED.search(words):
            return ServiceRefused(f"{where} does not let this key use {model} (403): {words}")
        if status == 404 or code == "model_not_found":
            return NothingThere(
                f"{where} has no model {model}, or is not the service's address, which often ends in /v1 "
                f"({status}): {words}"
            )
        return None

    def _rejection(self, status: int, code: str, parameter: str | None, words: str) -> ServiceFailed | None:
        """What this request cannot pass, however often it is sent."""
        sentence = self._sentence(f"answered {status}: {words}")
        if status == 413 or code == "context_length_exceeded":
            return RequestTooLong(sentence)
        if status in {400, 422, 500} and _TOO_LONG.search(words):
            return RequestTooLong(sentence)
        if status in {400, 403, 422} and (code == "content_filter" or _FILTERED.search(words)):
            return ContentFiltered(sentence)
        if 400 <= status < 500 and status not in _PASSING:
            return BadRequest(sentence, parameter if code in UNSUPPORTED else None)
        return None

    def _sentence(self, words: str) -> str:
        return f"{self._base_url} {self.clean(words)}"

    def clean(self, words: object) -> str:
        """Without the key, and not too long."""
        text = str(words)
        return (text.replace(self._key, "***") if self._key else text)[:_QUOTED]


def pause_asked(headers: Mapping[str, Any], now: float) -> float | None:
    """Seconds that a Retry-After wants everyone to wait, >= 0; None where there is none that can be read.

    Args:
        headers: of the answer, found whatever their case.
        now: seconds since 1970, against which an HTTP date is held.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        return max(0.0, seconds) if seconds == seconds else None  # noqa: PLR0124 -- a NaN is not itself
    try:
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - now)
    except (KeyError, ValueError):
        return None
