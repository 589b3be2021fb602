"""One file over HTTP into a partial file, which a later call goes on with."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import BinaryIO

import httpx2

from configs.errors import RunStopped, reason_of

PAUSES = (1.0, 3.0, 9.0)
"""Seconds before each further try of a download that was cut, or that a server was too busy for."""

_PASSING = {408, 425, 429, 500, 502, 503, 504}
_TIMEOUT = httpx2.Timeout(30.0, connect=15.0)


class Unusable(RunStopped):
    """What was sent is not the file that was asked for."""


@contextmanager
def open_client() -> Iterator[httpx2.Client]:
    """A client that follows redirects and takes proxies and certificates from the environment.

    Raises:
        RunStopped: the environment names a proxy or certificates that cannot be used.
    """
    try:
        client = httpx2.Client(
            follow_redirects=True,
            timeout=_TIMEOUT,
            headers={"Accept-Encoding": "identity"},  # a range of a compressed body cannot be continued
        )
    except (ValueError, ImportError, OSError) as error:
        raise RunStopped(
            f"the proxy or the certificates that the environment names cannot be used ({error}): correct HTTPS_PROXY, "
            "ALL_PROXY or SSL_CERT_FILE, or unset them"
        ) from None
    with client:
        yield client


def download(
    client: httpx2.Client,
    url: str,
    partial: BinaryIO,
    size: int,
    *,
    advance: Callable[[int], None] = lambda _: None,
    pauses: Sequence[float] = PAUSES,
) -> None:
    """Append what is missing of a file to an open partial one.

    Args:
        partial: opened for reading and appending.
        size: of the whole file, in bytes.
        advance: is told how many bytes are there, whenever there are more.
        pauses: seconds before each further try.

    Raises:
        Unusable: more was sent than the file has.
        RunStopped: the server cannot be reached, does not have the file, or cuts the download again and again.
    """
    for pause in (*pauses, None):
        if partial.seek(0, 2) == size:
            return
        try:
            _append(client, url, partial, size, advance)
            problem = f"it ends after {partial.tell():,} of {size:,} bytes"
        except httpx2.HTTPStatusError as error:
            problem = f"the server answers {error.response.status_code} {error.response.reason_phrase}".rstrip()
            if error.response.status_code not in _PASSING:
                raise RunStopped(f"{url} cannot be fetched: {problem}") from None
        except (httpx2.ConnectError, httpx2.ProxyError, httpx2.ConnectTimeout) as error:
            raise RunStopped(
                f"{httpx2.URL(url).host} cannot be reached ({reason_of(error)}): check the connection, or set "
                f"HTTPS_PROXY to your proxy; or download {url} elsewhere and copy it here"
            ) from None
        except httpx2.TransportError as error:
            problem = reason_of(error)
        except (httpx2.TooManyRedirects, httpx2.InvalidURL) as error:
            raise RunStopped(f"{url} cannot be fetched: {reason_of(error)}") from None
        if partial.seek(0, 2) == size:
            return
        if pause is not None:
            time.sleep(pause)
    raise RunStopped(f"{url} cannot be fetched: {problem}; run the command again to go on from there")


def _append(client: httpx2.Client, url: str, partial: BinaryIO, size: int, advance: Callable[[int], None]) -> None:
    there = partial.seek(0, 2)
    headers = {"Range": f"bytes={there}-"} if there else {}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            _empty(partial)
            return
        response.raise_for_status()
        if response.status_code != HTTPStatus.PARTIAL_CONTENT:  # the file from its beginning
            _empty(partial)
            _refuse_other_length(response, url, size)
        for chunk in response.iter_bytes():
            partial.write(chunk)
            advance(partial.tell())
            if partial.tell() > size:
                _empty(partial)
                raise Unusable(f"{url} sends more than the {size:,} bytes of the published file; nothing was written")


def _empty(partial: BinaryIO) -> None:
    partial.seek(0)
    partial.truncate()


def _refuse_other_length(response: httpx2.Response, url: str, size: int) -> None:
    length = response.headers.get("Content-Length")
    if length is not None and length != str(size) and "Content-Encoding" not in response.headers:
        raise Unusable(
            f"{url} sends {length} bytes, but the published file has {size}, so nothing was written: open the address "
            "in a browser, since a proxy or a mirror may send a page of its own"
        )
