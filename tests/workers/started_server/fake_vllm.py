"""A server that a worker can start: vLLM's addresses, an answer of the prompt's last word, and some ways to fail.

It is called as `vllm serve` is, and imports the standard library alone. Its first argument says how it fails: `well`
not at all; where FILE does not exist yet (it is made) `dies:FILE` in the middle of its first completion, `meets:FILE`
when it is asked which model it serves, and `counts:FILE` when it counts tokens; `falls:FILE` in the middle of its first
completion and again while it loads; `broken` while it loads, `killed` then too, by SIGKILL, `slow` never answers,
`parent:FILE` starts a child that would outlive it, whose number goes into FILE.
"""

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FAILING = sys.argv[1]
MODEL = sys.argv[sys.argv.index("--served-model-name") + 1]
PORT = int(sys.argv[sys.argv.index("--port") + 1])
CONTEXT = 64


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            _die_once("meets")
        entry = {"id": MODEL, "owned_by": "vllm", "root": MODEL, "max_model_len": CONTEXT}
        self._send({"/version": {"version": "0.33.0"}, "/v1/models": {"data": [entry]}}.get(self.path, {}))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        words = request["prompt"].split()
        if self.path == "/tokenize":
            _die_once("counts")
            self._send({"count": len(words), "max_model_len": CONTEXT})
            return
        _die_once("dies")
        _die_once("falls")
        choice: dict[str, object] = {"text": f"said {words[-1]}", "finish_reason": "stop"}
        written = 2
        if request.get("echo"):
            choice, written = _echoed(request["prompt"]), 1
        self._send({"choices": [choice], "usage": {"prompt_tokens": len(words), "completion_tokens": written}})

    def _send(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the method's own name for it
        """Say nothing."""


def _echoed(prompt: str) -> dict[str, object]:
    """The prompt and a token of the answer; every letter is a token, the answer's too, of log-probability -1."""
    letters = [*prompt, "!"]
    values = [None, *[-1.0] * len(prompt)]
    lists = {"tokens": letters, "token_logprobs": values, "text_offset": list(range(len(letters)))}
    return {"text": prompt + "!", "finish_reason": "length", "logprobs": lists}


def _die_once(here: str) -> None:
    kind, _, file = FAILING.partition(":")
    if kind == here and not Path(file).exists():
        Path(file).write_text(str(os.getpid()))
        os._exit(3)


def _fall_while_loading() -> None:
    """Die by SIGKILL, where `falls` has died once and not twice."""
    file = Path(FAILING.partition(":")[2])
    if FAILING.startswith("falls:") and file.exists() and file.read_text() != "twice":
        file.write_text("twice")
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    if FAILING == "broken":
        sys.exit("CUDA error: no kernel image is available")
    if FAILING == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if FAILING == "slow":
        sys.stdin.read()
        while True:
            os.read(os.pipe()[0], 1)
    _fall_while_loading()
    if FAILING.startswith("parent:"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        Path(FAILING.partition(":")[2]).write_text(str(child.pid))
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()


if __name__ == "__main__":
    main()
