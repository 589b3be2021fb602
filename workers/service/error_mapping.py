"""Why an attempt got no reply, in the words of `workers.service.failures`, without any of the key's."""

import json
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from time import time
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

from configs.errors import RunStopped
from configs.schema.service import ServiceConfig
from workers.service.access import is_behind_proxy
from workers.service.error_words import FILTERED, SLOW_DOWN, TOO_LONG, ServiceError, pause_asked, read_error
from workers.service.failures import (
    BadRequest,
    ContentFiltered,
    ErrorInReply,
    Forbidden,
    NothingThere,
    Redirected,
    ReplyUnusable,
    RequestTooLong,
    ServiceFailed,
    ServiceRefused,
    ServiceSilent,
)
from workers.service.redaction import Redactor
from workers.service.unusable import what_came

_PASSING = frozenset({408, 409, 425}) | SLOW_DOWN
_ASKED = frozenset({"model", "messages", "prompt"})
"""Fields that no model refuses: what is asked, and whom."""
_QUOTED = 300
_NO_HOST = re.compile(r"name resolution|name or service not known|getaddrinfo|nodename nor servname", re.I)
_NOT_HTTP = re.compile(r"illegal (request|status) line")
_PROXY_REFUSES = re.compile(r"40[137]\b")


@dataclass(frozen=True, slots=True)
class ClassifiedError:
    """An error of a service, and what is to be done about it.

    Attributes:
        failure: to raise, once it is final.
        passing: another attempt may fare better.
        congestion: the service has more to do than it can: "slow down", or no answer in time.
        slow_down: it says so itself.
        pause: seconds it wants everyone to wait; None where it does not say.
        silent: it says nothing about this one request, only about the service.
        lost: the connection broke, or there was none: another server may be there the next time.
    """

    failure: ServiceFailed | RunStopped
    passing: bool = False
    congestion: bool = False
    slow_down: bool = False
    pause: float | None = None
    silent: bool = False
    lost: bool = False


class ErrorReader:
    """A reader of a service's errors.

    Args:
        config: of the service.
        base_url: where it is, as people may read it.
        redactor: of what must not be repeated.
    """

    def __init__(self, config: ServiceConfig, base_url: str, redactor: Redactor) -> None:
        self._config = config
        self._base_url = base_url
        self._redactor = redactor

    def read(self, error: Exception, seconds: float | None = None) -> ClassifiedError:
        """What this error means. ServiceFailed: raised while a reply was read.

        Args:
            seconds: how long an answer was waited for; None is the config's timeout.
        """
        if isinstance(error, ServiceFailed):
            return self._in_reply(error)
        if isinstance(error, APIStatusError):
            return self.read_status(error.status_code, error.body, error.response.headers, _fields(error.request))
        if isinstance(error, TimeoutError | APITimeoutError):
            words = f"gave no complete answer within {self._config.timeout if seconds is None else seconds:g} s"
            return ClassifiedError(
                ServiceSilent(self._sentence(words)), passing=True, congestion=True, silent=True, lost=True
            )
        if isinstance(error, APIConnectionError):
            return self._not_connected(error.__cause__ or error)
        if isinstance(error, OpenAIError):
            return ClassifiedError(ServiceFailed(self._sentence(f"failed: {error}")))
        # ValueError, RecursionError: openai lets them through unwrapped
        body = error.doc if isinstance(error, json.JSONDecodeError) else None
        came = "a body" if body is None else what_came(body)
        return ClassifiedError(
            ReplyUnusable(self._sentence(f"answered with {came} that is not JSON")), passing=True, silent=True
        )

    def read_status(
        self, status: int, body: object, headers: Mapping[str, Any], sent_fields: Collection[str] = ()
    ) -> ClassifiedError:
        """What an answer with an error status means.

        Args:
            body: the error in the body, or the body where there is none in it.
            sent_fields: fields of the request, as far as they are known.
        """
        if 300 <= status < 400:
            return ClassifiedError(self._redirected(status, str(headers.get("location", ""))))
        answer = read_error(status, body)
        return self._classify(answer, f"answered {status}", headers, sent_fields)

    def _in_reply(self, error: ServiceFailed) -> ClassifiedError:
        if not isinstance(error, ErrorInReply):
            failure = type(error)(self._sentence(str(error)), error.usage)
            return ClassifiedError(failure, silent=isinstance(error, ReplyUnusable))
        classified = self._classify(read_error(200, error.body), "answered 200 with an error", {}, error.sent_fields)
        if isinstance(classified.failure, ServiceFailed):
            classified.failure.usage = error.usage
        return classified

    def _classify(
        self, answer: ServiceError, answered: str, headers: Mapping[str, Any], sent_fields: Collection[str] = ()
    ) -> ClassifiedError:
        words = self.clean(answer.words)
        final = self._refusal(answer, words) or self._rejection(
            answer, self._sentence(f"{answered}: {words}"), sent_fields
        )
        if final is not None:
            return ClassifiedError(final)
        advice = headers.get("x-should-retry")  # openai's servers know best
        passing = advice != "false" and (answer.status in _PASSING or answer.status >= 500 or advice == "true")
        slow_down = answer.status in SLOW_DOWN
        return ClassifiedError(
            ServiceFailed(self._sentence(f"{answered}: {words}")),
            passing=passing,
            congestion=slow_down,
            slow_down=slow_down,
            pause=pause_asked(headers, time()) if passing else None,
            silent=passing and answer.status != 500,  # often the fault of the one request it answers
            lost=answer.status in {502, 503, 504},
        )

    def _refusal(self, answer: ServiceError, words: str) -> ServiceRefused | None:
        """What no request can pass until a person acts."""
        where, model = self._base_url, self._config.model
        if answer.of_key:  # its words often hold the key, or most of it
            variable = self._config.api_key_variable
            advice = f"put a valid one into {variable}" if variable else "name its variable as api_key_variable"
            return ServiceRefused(f"{where} refused the key ({answer.status}): {advice}, then go on")
        if answer.out_of_quota:
            return ServiceRefused(f"the quota at {where} is used up: add credit, then go on ({words})")
        if answer.status == 403 and not FILTERED.search(words):
            return Forbidden(
                f"{where} does not let this key use {model} (403: {words}): have it allowed there, or set another "
                "service.model"
            )
        if answer.status == 407:
            return self._proxy_refuses(words)
        if answer.of_model:
            return NothingThere(
                f"{where} has no model {model}, or is not the service's address, which often ends in /v1 "
                f"({answer.status}: {words}): correct service.model or service.base_url"
            )
        return None

    def _rejection(self, answer: ServiceError, sentence: str, sent_fields: Collection[str]) -> ServiceFailed | None:
        """What this request cannot pass, however often it is sent."""
        status, code = answer.status, answer.code
        if status == 413 or code == "context_length_exceeded":
            return RequestTooLong(sentence)
        if status in {400, 422, 500} and TOO_LONG.search(answer.words):
            return RequestTooLong(sentence)
        if status in {400, 403, 422} and (code == "content_filter" or FILTERED.search(answer.words)):
            return ContentFiltered(sentence)
        refusal = answer.refusal
        if 400 <= status < 500 and status not in _PASSING:
            return BadRequest(sentence, refusal)
        if status in {409, 500, 502} and refusal and refusal.field_of({*sent_fields} - _ASKED):  # others often pass
            return BadRequest(sentence, refusal)
        return None

    def _redirected(self, status: int, location: str) -> Redirected:
        """The error for a redirection, which leads to another service; what is said of it holds neither a query nor a
        password.
        """
        target = "to an address that cannot be read" if location else "and does not say where to"
        try:
            there = urlsplit(urljoin(f"{self._base_url}/", location))
            host = f"{there.hostname}:{there.port}" if there.port else there.hostname
        except ValueError:
            host = None
        if location and host and there.hostname == urlsplit(self._base_url).hostname:
            target = f"to {there.scheme}://{host}{there.path}"
        elif location and host:
            target = f"to another host, {host}"
        return Redirected(
            f"{self._base_url} redirects ({status}) {self.clean(target)}, and redirects are not followed: set base_url "
            "to the service's own address, then start again"
        )

    def _not_connected(self, reason: BaseException) -> ClassifiedError:
        if isinstance(reason, ServiceFailed):  # raised at the door
            return self.read(reason)
        words = self.clean(reason)
        if isinstance(reason, httpx2.ProxyError) and _PROXY_REFUSES.match(words):
            return ClassifiedError(self._proxy_refuses(words))
        if "CERTIFICATE_VERIFY_FAILED" in words:
            return ClassifiedError(
                ServiceRefused(
                    f"the certificate of {self._base_url} is not trusted ({words}): put the certificate of the "
                    "authority that signed it into a file and name that in the environment variable SSL_CERT_FILE"
                )
            )
        if "WRONG_VERSION_NUMBER" in words or "RECORD_LAYER_FAILURE" in words:
            return ClassifiedError(
                ServiceRefused(f"{self._base_url} does not speak TLS ({words}): write base_url with http://")
            )
        fault = "lost or refused the connection"
        if _NO_HOST.search(words):
            fault = "could not be found by its name"
        elif isinstance(reason, httpx2.DecodingError):
            fault = "answered with a body that cannot be decompressed"
        elif _NOT_HTTP.search(words):
            fault = "answered in another protocol than HTTP"
            words += "; is the port right, and http:// or https://?"
        elif is_behind_proxy(self._base_url):
            fault = "could not be reached through the proxy in the environment"
        sentence = self._sentence(f"{fault} ({words})" if words else fault)
        return ClassifiedError(ServiceSilent(sentence), passing=True, silent=True, lost=True)

    def _proxy_refuses(self, words: str) -> ServiceRefused:
        return ServiceRefused(
            f"the proxy in the environment does not let requests through to {self._base_url} ({words}): write "
            "HTTPS_PROXY or HTTP_PROXY as http://USER:PASSWORD@HOST:PORT, or name the host in NO_PROXY"
        )

    def _sentence(self, words: str) -> str:
        return f"{self._base_url} {self.clean(words)}"

    def clean(self, words: object) -> str:
        """The words without secrets, without characters that command a terminal, and not too long."""
        return visible(self._redactor.complaint(str(words)[: 4 * _QUOTED]))[:_QUOTED]


def _fields(request: httpx2.Request) -> frozenset[str]:
    """The fields of a request; none where its body is not JSON."""
    try:
        body = json.loads(request.content)
    except (ValueError, httpx2.RequestNotRead):
        return frozenset()
    return frozenset(body) if isinstance(body, dict) else frozenset()


def visible(text: str) -> str:
    """The text on one line, with control, direction and invisible characters spelled out."""
    return "".join(_spelled(character) for character in " ".join(text.splitlines()))


def _spelled(character: str) -> str:
    if character in " \t" or unicodedata.category(character) not in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}:
        return character
    return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"
