"""A real HTTP server on this machine that sends files, whole or in ranges, and misbehaves on demand.

with FileServer({"/a/urial.txt": b"..."}) as server:
    server.meets("/a/urial.txt", Cut(100))  # the next request for it; those after it fare well

"""

import re
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Cut:
    """The connection is lost after so many bytes of the body."""

    after: int


@dataclass(frozen=True)
class Status:
    """This status instead of the file."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Whole:
    """The whole file, whatever range was asked for."""


@dataclass(frozen=True)
class Chunked:
    """The file in chunks, so that its length is not said."""


Behaviour = Cut | Status | Whole | Chunked


class FileServer:
    """Attributes:
    requests: path and range of every request, in order.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.requests: list[tuple[str, str | None]] = []
        self._behaviours: dict[str, deque[Behaviour]] = defaultdict(deque)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"files": self}))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def meets(self, path: str, *behaviours: Behaviour) -> None:
        """What the next requests for this path meet, one after the other."""
        self._behaviours[path].extend(behaviours)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def behaviour(self, path: str) -> Behaviour | None:
        """What this request meets."""
        return self._behaviours[path].popleft() if self._behaviours[path] else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: FileServer

    def do_GET(self) -> None:
        self.files.requests.append((self.path, self.headers["Range"]))
        behaviour = self.files.behaviour(self.path)
        if isinstance(behaviour, Status):
            self._head(behaviour.code, {"Content-Length": "0", **behaviour.headers})
        elif self.path not in self.files.files:
            self._head(404, {"Content-Length": "0"})
        else:
            self._send(self.files.files[self.path], behaviour)

    def _send(self, content: bytes, behaviour: Behaviour | None) -> None:
        asked = re.match(r"bytes=(\d+)-", self.headers["Range"] or "")
        start = int(asked[1]) if asked and behaviour != Whole() else 0
        if start and start >= len(content):
            self._head(416, {"Content-Length": "0"})
            return
        body, status = content[start:], 206 if start else 200
        if behaviour == Chunked():
            self._head(status, {"Transfer-Encoding": "chunked"})
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            return
        self._head(status, {"Content-Length": str(len(body))})
        self.wfile.write(body[: behaviour.after] if isinstance(behaviour, Cut) else body)
        self.close_connection = isinstance(behaviour, Cut)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
