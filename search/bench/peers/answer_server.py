"""The toy task behind a local address, for searches that run in environments of their own.

GET /task tells the pool, the search questions with their references, and how many demonstrations may be added.
POST /judge {"search": name, "demonstrations": [id, ...], "question": id} answers with {"answer": text, "score": 1 to
10}; each such call is counted as one judged answer of that search. The question may be a demonstration of the pool,
whose answer is its reference.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from search.bench.peers.toy_task import ToyTask


class AnswerServer(ThreadingHTTPServer):
    """Serves one task; `counts` holds the judged answers of each search."""

    daemon_threads = True

    def __init__(self, task: ToyTask) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.task = task
        self.counts: Counter[str] = Counter()

    @property
    def address(self) -> str:
        """The server's address, without a slash at its end."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def described(self) -> dict[str, Any]:
        """What a search is told before it begins."""
        material, space = self.task.plan.material, self.task.space
        return {
            "most": space.max_added,
            "pool": [{"id": shown.id, "query": shown.query, "answer": shown.answer} for shown in material.pool],
            "questions": [
                {"id": question.id, "query": question.query, "reference": question.reference(0)}
                for question in material.search
            ],
        }

    def judged(self, request: dict[str, Any]) -> dict[str, Any]:
        """One judged answer. Raises KeyError for an id that is none, or a held-out question's."""
        by_id = {shown.id: shown for shown in self.task.plan.material.pool}
        if request["question"] not in (*self.task.search, *by_id):
            raise KeyError(request["question"])
        self.counts[request["search"]] += 1
        shown = [*self.task.plan.material.base, *(by_id[name] for name in request["demonstrations"])]
        answer = self.task.judged(shown, [request["question"]])[request["question"]]
        return {"answer": answer.answer, "score": answer.score}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: AnswerServer

    def do_GET(self) -> None:
        self._send(200 if self.path == "/task" else 404, self.server.described() if self.path == "/task" else {})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            self._send(200, self.server.judged(request))
        except KeyError as error:
            self._send(400, {"error": f"there is no {error}"})

    def _send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the method's own name for it
        """Say nothing."""


@contextmanager
def serving(task: ToyTask) -> Iterator[AnswerServer]:
    """The task's server, at work in a thread."""
    with AnswerServer(task) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
