"""The door to a service: every byte that comes in passes here, once.

One connection serves one request. On a connection that is kept, whatever a server sends too much (a second reply, a
reply that came after its request had been given up) is read as the answer to the next question, and no check of the
buffer rules out that it arrives a moment later. See docs/services.md for what this costs.

Redirects are never followed: an answer from elsewhere is not this service's answer.
"""

import json
import re
import ssl
from contextlib import suppress
from contextvars import ContextVar
from functools import cache
from os import environ
from typing import Any

import httpx2

from configs.errors import InputError
from workers.service.access import is_loopback
from workers.service.failures import ReplyTooLarge, ReplyUnusable
from workers.service.redaction import Redactor

MOST_BYTES, MOST_BYTES_OF_AN_ANSWER, MOST_BYTES_OF_A_FILE = 64 * 2**20, 2 * 2**20, 2**30
"""A body is cut off here: lists and echoed prompts with their log-probabilities; answers; results of a batch."""

NETWORK: ContextVar[httpx2.AsyncBaseTransport | None] = ContextVar("network", default=None)
"""What carries requests in the place of sockets, where services are simulated."""

_ENDLESS = re.compile(rb"\d{4000}")
_STRING_OR_ENDLESS = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d{4000,}', re.DOTALL)
_JSON = ("content-type", "application/json")
_BOM = b"\xef\xbb\xbf"
_CONTROL = re.compile("[\0-\x08\x0e-\x1f]")
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_DECODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class ServiceHttpClient(httpx2.AsyncClient):
    """What openai's client sends with.

    Args:
        redactor: of the key and whatever else must not come back.
        options: of httpx2.AsyncClient.
    """

    def __init__(self, redactor: Redactor, **options: Any) -> None:
        super().__init__(
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0),
            headers={"Connection": "close"},
            **options,
        )
        self._redactor = redactor

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:  # noqa: ARG002 -- nobody streams
        """Send the request and read the whole answer, cut off where it is too long and free of secrets.

        Raises:
            ReplyTooLarge: it is longer than anything that was asked for.
            ReplyUnusable: it is compressed in a way that was not asked for, or a completion has a key twice in one
                object, so that it says two things.
        """
        options["follow_redirects"] = False
        response = await super().send(request, stream=True, **options)
        try:
            body = await _read(response, _most(request))
            if packed := self._still_packed(response, body):
                raise ReplyUnusable(f"answered with a body that is compressed ({packed}), which was not asked for")
        except (httpx2.DecodingError, ReplyUnusable):
            if response.is_success:
                raise
            body = b""  # the status says enough
        finally:
            await response.aclose()
        body = self._redactor.body(_without_endless_numbers(body))
        headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _DECODED]
        if response.is_success and request.url.path.endswith("/completions"):
            _refuse_double_keys(body)
            is_object = body.removeprefix(_BOM).lstrip().startswith(b"{")
            if is_object:  # JSON, whatever a gateway calls it: openai reads it as text otherwise
                headers = [*(header for header in headers if header[0].lower() != "content-type"), _JSON]
        return httpx2.Response(
            response.status_code,
            headers=headers,
            content=body,
            request=request,
            extensions={"http_version": response.extensions.get("http_version", b"HTTP/1.1")},
        )

    def _still_packed(self, response: httpx2.Response, body: bytes) -> str:
        """The coding of a body that httpx2 has not unpacked, since it was not asked for or not named; "" for text."""
        asked = {"identity", *self.headers["accept-encoding"].split(", ")}
        codings = response.headers.get("content-encoding", "").lower().split(",")
        unread = [name for coding in codings if (name := coding.strip()) and name not in asked]
        unnamed = next((name for start, name in _PACKED.items() if body.startswith(start)), "")
        return unnamed or (", ".join(unread) if not _is_text(body) else "")


def open_client(base_url: str, redactor: Redactor) -> ServiceHttpClient:
    """A client for this address, with the proxies and certificates of the environment.

    Raises:
        InputError: a proxy or a file of certificates that cannot be used.
    """
    try:
        return ServiceHttpClient(
            redactor,
            transport=NETWORK.get(),
            trust_env=not is_loopback(base_url),  # else HTTP_PROXY catches calls to this very machine
            verify=_authorities(),
        )
    except ImportError:
        raise InputError(
            "a proxy in the environment (ALL_PROXY, HTTPS_PROXY or HTTP_PROXY) is a SOCKS proxy, which needs another "
            "package: `pip install socksio`, or unset the variable"
        ) from None
    except (ValueError, httpx2.InvalidURL) as error:
        reason = redactor.complaint(str(error))
        raise InputError(
            f"a proxy in the environment (ALL_PROXY, HTTPS_PROXY or HTTP_PROXY) cannot be used ({reason}): "
            "write it as http://HOST:PORT, or unset the variable"
        ) from None


@cache
def _authorities() -> ssl.SSLContext:
    """The authorities that are trusted; reading them takes 0.2 s, longer than most tests."""
    try:
        return httpx2.create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        variable = "SSL_CERT_FILE" if environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
        key_log = environ.get("SSLKEYLOGFILE")
        if key_log and getattr(error, "filename", None) == key_log:
            raise InputError(
                f"the file that the environment variable SSLKEYLOGFILE names ({key_log}) cannot be written "
                f"({error.strerror}): correct it, or unset it"
            ) from None
        raise InputError(
            f"the certificates that the environment variable {variable} names ({environ.get(variable)}) cannot be read "
            f"({error.strerror or error}): correct it, or unset it"
        ) from None


async def _read(response: httpx2.Response, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > most:
            raise ReplyTooLarge(f"answered with more than {most // 2**20} MiB, far more than was asked for")
    return bytes(body)


def _without_endless_numbers(body: bytes) -> bytes:
    """JSON with 0 in the place of numbers that Python refuses to read (4,300 digits): whatever such a number counts,
    the answer beside it has been paid for."""
    if not _ENDLESS.search(body):
        return body
    return _STRING_OR_ENDLESS.sub(lambda match: match[0] if match[0].startswith(b'"') else b"0", body)


def _is_text(body: bytes) -> bool:
    try:
        return not _CONTROL.search(body.decode())
    except UnicodeDecodeError:
        return False


def _refuse_double_keys(body: bytes) -> None:
    """Raises ReplyUnusable. A body that is not JSON passes: whoever reads it says so."""

    def once(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        if len({*names}) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ReplyUnusable(f"answered with the key {twice!r} twice in one object")

    with suppress(ValueError, RecursionError):
        json.loads(body, object_pairs_hook=once)


def _most(request: httpx2.Request) -> int:
    path = request.url.path
    if path.endswith("/content"):
        return MOST_BYTES_OF_A_FILE
    is_answer = path.endswith("/completions") and b'"echo"' not in request.content
    return MOST_BYTES_OF_AN_ANSWER if is_answer else MOST_BYTES
