"""A network in virtual time, and behind it a model and a judge that the real client of services talks to.

A request may be answered late, twice, or never; its answer may be an error, or be lost on its way when the work is done
and billed. A second answer stays on its connection: whoever sends the next request over it reads that one first.
"""

import asyncio
import json
import random
from collections import deque
from typing import Any

import httpx2

from search.bench.faults.services import BASE, DEMONSTRATION, Bill, Call

TIMEOUT = 20.0
"""Seconds after which the client gives a request up."""
_LATENCIES = (0.0, 0.01, 0.1, 3.0)
_TWICE = 0.1  # of the answers that arrive
_ILLS = ("late", "late", "lost before", "lost after", "broken", "busy", "error in 200", "gibberish")


class Network(httpx2.AsyncBaseTransport):
    """A transport that draws what befalls each request.

    Args:
        draw: decides everything that is left open.
        favours_base: the judge will like answers to the base prompt best.
        keeps_connections: a request may travel over a connection that another one has used, though the client has said
            that it must not.
    """

    def __init__(self, bill: Bill, draw: random.Random, *, favours_base: bool, keeps_connections: bool = False) -> None:
        self.ill = 0.0
        self._bill, self._draw = bill, draw
        self._favours_base, self._keeps_connections = favours_base, keeps_connections
        self._second_answers: deque[bytes] = deque()  # each on a connection that nobody uses now

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json={"object": "list", "data": [{"id": "model"}, {"id": "judge"}]})
        body = json.loads(await request.aread())
        ill = self._draw.choice(_ILLS) if self._draw.random() < self.ill else ""
        if ill == "lost before":
            raise httpx2.ConnectError("nobody is there", request=request)
        call = self._bill.open(_content(body))
        try:
            await asyncio.sleep(self._draw.choice(_LATENCIES) * self._draw.random())
            await asyncio.sleep(2 * TIMEOUT if ill == "late" else 0)
        except asyncio.CancelledError:
            call.given_up = True
            raise
        if ill in ("broken", "busy", "error in 200", "gibberish"):
            self._bill.forget(call)
            return _error(ill)
        answer = self._answer(body, call)
        if ill == "lost after":
            call.given_up = True
            raise httpx2.ReadError("connection reset by peer", request=request)
        return httpx2.Response(200, content=self._travel(request, answer, call))

    def _travel(self, request: httpx2.Request, answer: bytes, call: Call) -> bytes:
        is_kept = self._keeps_connections or request.headers.get("connection") != "close"
        if is_kept and self._second_answers:
            call.given_up = True
            answer = self._second_answers.popleft()
        elif self._draw.random() < _TWICE:
            self._second_answers.append(answer)
        call.ended = asyncio.get_running_loop().time()
        call.is_answered = not call.given_up
        return answer

    def _answer(self, body: dict[str, Any], call: Call) -> bytes:
        content = _content(body)
        if "messages" in body:
            is_good = " well" in body["messages"][-1]["content"]
            call.score = 9.0 if is_good else 1.0 + sum(content.encode()) % 8
            spoken: dict[str, Any] = {"message": {"role": "assistant", "content": f"Rating: [[{call.score:g}]]"}}
        else:
            good = " well" if self._favours_base and body["prompt"].count(DEMONSTRATION) == BASE else ""
            spoken = {"text": f"answer {sum(content.encode()) % 997}{good}"}
        usage = {"prompt_tokens": call.number, "completion_tokens": 1, "total_tokens": call.number + 1}
        choice = {"index": 0, "finish_reason": "stop", **spoken}
        return json.dumps({"id": "x", "model": body["model"], "choices": [choice], "usage": usage}).encode()

    async def aclose(self) -> None:
        """Several clients share it."""


def _content(body: dict[str, Any]) -> str:
    """What is asked, in words of one bill."""
    return f"verdict {body['messages']}" if "messages" in body else f"answer {body['prompt']}"


def _error(ill: str) -> httpx2.Response:
    if ill == "gibberish":
        return httpx2.Response(200, content=b"<html>Bad gateway</html>")
    if ill == "error in 200":
        return httpx2.Response(200, json={"error": {"message": "overloaded, slow down", "code": 429}})
    if ill == "busy":
        return httpx2.Response(429, json={"error": {"message": "slow down"}}, headers={"Retry-After": "1"})
    return httpx2.Response(500, json={"error": {"message": "it is not you"}})
