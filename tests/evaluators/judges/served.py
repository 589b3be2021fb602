"""Judges behind the local service of the tests."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from configs.schema.service import ServiceConfig
from evaluators.judge_tools.chat_model import ServedChatModel
from tests.service_server import Reaction, Request, completion
from workers.service.service import Service

KEY = "sk-very-secret-0123456789"
NOBODY = "http://127.0.0.1:9/v1"


def service(base_url: str, **knobs: object) -> dict[str, object]:
    """The knobs of a service."""
    return {"model": "judge", "base_url": base_url, "api_key_variable": "THE_KEY", "max_in_flight": 8} | knobs


def chat_model(config: ServiceConfig | None) -> ServedChatModel:
    assert config is not None
    return ServedChatModel(Service(config, {"THE_KEY": KEY}))


def leans(weigh: Callable[[Request], Mapping[str, float]]) -> Callable[[Request], Reaction]:
    """A judge whose first token has these probabilities, likeliest first."""

    def body(request: Request) -> bytes:
        chances = weigh(request)
        answer: dict[str, Any] = json.loads(completion(request, next(iter(chances))))
        top = [{"token": token, "logprob": math.log(chance), "bytes": None} for token, chance in chances.items()]
        answer["choices"][0]["logprobs"] = {"content": [top[0] | {"top_logprobs": top}]}
        return json.dumps(answer).encode()

    return lambda _: Reaction(body)
