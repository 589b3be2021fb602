import asyncio
import logging
import re
import subprocess
import sys
import traceback
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import httpx2
import pytest

from configs.errors import DemosearchError, RunStopped
from configs.schema.service import ServiceConfig
from tests import service_server
from tests.service_server import Reaction, ServiceServer, broken, busy, error, page, rate, says, sends
from workers.prompt import ChatMessage
from workers.service.access import open_access
from workers.service.activity import ServiceActivity
from workers.service.connection import Connection
from workers.service.failures import (
    BadRequest,
    ContentFiltered,
    ReplyUnusable,
    RequestTooLong,
    ServiceFailed,
    ServiceRefused,
    ServiceSilent,
    ServiceUnreachable,
)
from workers.service.http_client import NETWORK
from workers.service.reply import Reply
from workers.service.service import Service
from workers.usage import Usage

KEY = "sk-very-secret-0123456789"
ASK: list[ChatMessage] = [{"role": "user", "content": "one two three"}]


def _service(server: ServiceServer, **knobs: object) -> Service:
    config = {
        "model": "judge",
        "base_url": server.base_url,
        "api_key_variable": "THE_KEY",
        "max_retries": 1,
        "timeout": 5,
    }
    return Service(ServiceConfig.model_validate(config | knobs), {"THE_KEY": KEY})


def _ask(service: Service) -> "asyncio.Task[Reply]":
    return asyncio.create_task(service.chat(ASK, temperature=0.0, max_tokens=100))


async def _ask_and_close(service: Service, **asked: Any) -> Reply:
    try:
        return await service.chat(ASK, **{"temperature": 0.0, "max_tokens": 100} | asked)
    finally:
        await service.close()


def _reply(server: ServiceServer, asked: dict[str, Any] | None = None, **knobs: object) -> Reply:
    return asyncio.run(_ask_and_close(_service(server, **knobs), **asked or {}))


def test_an_answer_comes_with_its_tokens_and_why_it_ended() -> None:
    with ServiceServer([says("four five", finish="length")]) as server:
        assert _reply(server) == Reply("four five", "length", Usage(1, 3, 0, 2, None), model="judge")
    assert server.requests == [{"model": "judge", "messages": ASK, "temperature": 0.0, "max_tokens": 100}]
    assert server.authorizations == [f"Bearer {KEY}"]


def test_of_openais_own_variables_none_adds_a_key_or_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer another")
    monkeypatch.setenv("OPENAI_ORG_ID", "no\nheader")
    with ServiceServer() as server:
        _reply(server)
    assert server.authorizations == [f"Bearer {KEY}"]


@pytest.mark.parametrize(
    ("host", "organization"),
    [("api.openai.com", "ours"), ("eu.api.openai.com", "ours"), ("notapi.openai.com", None), ("127.0.0.1", None)],
)
def test_openai_alone_is_told_whose_account_it_is(
    host: str, organization: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        told.append(request.headers.get("openai-organization"))
        return httpx2.Response(200, content=says("fine").body({"messages": ASK}))

    monkeypatch.setenv("OPENAI_ORG_ID", "ours")
    told: list[str | None] = []
    network = NETWORK.set(httpx2.MockTransport(answer))
    with ServiceServer() as server:
        _reply(server, base_url=f"https://{host}/v1/")
    NETWORK.reset(network)
    assert told == [organization]


def test_every_field_asked_for_reaches_the_service() -> None:
    with ServiceServer() as server:
        _reply(server, {"top_p": 0.9, "seed": 7, "logprobs": 5})
    assert server.requests[0].items() >= {"top_p": 0.9, "seed": 7, "logprobs": True, "top_logprobs": 5}.items()


def test_the_likeliest_first_tokens_come_likeliest_first() -> None:
    likely = '[{"token": "m", "logprob": -1.5}, {"token": "M", "logprob": -0.25}]'
    body = (
        f'{{"choices": [{{"message": {{"content": "M"}}, "logprobs": {{"content": [{{"top_logprobs": {likely}}}]}}}}]}}'
    )
    with ServiceServer([sends(body.encode())]) as server:
        assert _reply(server, {"logprobs": 2}).first_token == (("M", -0.25), ("m", -1.5))
    with ServiceServer([sends(body.replace('"content": "M"', '"content": " "').encode())]) as server:
        assert _reply(server, {"logprobs": 2}).text == " "


def test_a_text_or_its_token_ids_are_continued_and_the_continuation_may_be_empty() -> None:
    async def scenario() -> list[Reply]:
        service = _service(server)
        replies = [await service.complete(prompt, {"max_tokens": 5}) for prompt in ("a b c", [7, 8])]
        await service.close()
        return replies

    with ServiceServer([says("d"), says("")]) as server:
        text, ids = asyncio.run(scenario())
    assert (text.text, text.prompt_tokens) == ("d", 3)
    assert (ids.text, ids.prompt_tokens) == ("", 2)
    assert server.requests[1] == {"model": "judge", "prompt": [7, 8], "max_tokens": 5}


def test_a_server_that_asks_for_no_key_gets_the_word_none() -> None:
    with ServiceServer() as server:
        _reply(server, api_key_variable=None)
    assert server.authorizations == ["Bearer none"]


@pytest.mark.parametrize(
    "reaction",
    [
        busy(),
        busy(0.01),
        busy(formatdate(time() - 5, usegmt=True)),
        error(500),
        error(502),
        error(503),
        error(408),
        error(500, message="CUDA error: an illegal memory access was encountered"),
        error(500, message="this operation is not supported on the device"),
        error(500, message="the operation is not supported (temperature=0.0, max_tokens=100)"),
        error(502, message="upstream HTTP version not supported"),
        error(502, message="seed is not supported by this model"),
        error(409, message="the model is loading; requests are not allowed yet"),
        page({"error": {"code": 502, "message": "seed is not supported by this model"}}),
        service_server.lost(),
        sends(b'{"id": "x", "choices": [{"ind'),
        sends(b""),
        service_server.page({"error": {"message": "Rate limit reached, slow down."}}),
        service_server.page({"detail": "Too many requests"}),
        says("Half a", finish="abort"),
    ],
    ids=[
        *(
            "429",
            "429 in s",
            "429 by date",
            "500",
            "502",
            "503",
            "408",
            "illegal memory",
            "device",
            "a request quoted",
            "HTTP version",
            "not sent",
            "loading",
            "not sent in a 200",
        ),
        *("lost connection", "truncated", "empty body"),
        *("slow down in a 200", "words of a gateway in a 200", "broken off"),
    ],
)
def test_a_passing_fault_is_tried_again(reaction: Reaction) -> None:
    with ServiceServer([reaction, says("fine")]) as server:
        assert _reply(server).text == "fine"
    first, second = server.requests
    assert first == second


@pytest.mark.parametrize("status", [409, 500, 502])
@pytest.mark.parametrize("is_in_reply", [False, True])
@pytest.mark.parametrize(
    "words",
    [
        "upstream error 400: Unsupported parameter: 'temperature'",
        "Unsupported parameter(s): `temperature`",
        "Extra inputs are not permitted (temperature)",
        "Parameters are not supported by this model (remove them): temperature",
    ],
)
def test_a_passing_fault_that_names_a_field_as_not_taken_is_answered_without_it(
    status: int, is_in_reply: bool, words: str
) -> None:
    refusal = page({"error": {"code": status, "message": words}}) if is_in_reply else error(status, message=words)
    with ServiceServer([refusal]) as server:
        _reply(server, max_retries=0)
    assert ["temperature" in request for request in server.requests] == [True, False]


def test_a_service_that_forbids_another_attempt_is_obeyed() -> None:
    with ServiceServer([error(500, x_should_retry="false")]) as server, pytest.raises(ServiceFailed, match="500"):
        _reply(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reaction", "failure", "sentence"),
    [
        (busy(0.01), ServiceFailed, "answered 429: slow down"),
        (service_server.page({"error": "slow down"}), ServiceFailed, "answered 200 with an error: slow down"),
        (error(500), ServiceFailed, "answered 500: as the script says"),
        (service_server.lost(), ServiceSilent, "lost or refused the connection"),
        (Reaction(lambda _: b"no gzip", headers={"Content-Encoding": "gzip"}), ServiceSilent, "cannot be decompressed"),
        (sends(b'{"id": '), ReplyUnusable, "answered with the text '{\"id\": ' that is not JSON"),
    ],
    ids=["429", "slow down in a 200", "500", "lost connection", "no gzip", "truncated"],
)
def test_a_fault_that_stays_fails_once_the_retries_are_spent(
    reaction: Reaction, failure: type[ServiceFailed], sentence: str
) -> None:
    with ServiceServer(then=reaction) as server, pytest.raises(failure, match=sentence) as caught:
        _reply(server, max_retries=2)
    assert type(caught.value) is failure
    assert len(server.requests) == 3


def test_slow_down_is_not_counted_while_others_are_answered() -> None:
    async def scenario() -> ServiceActivity:
        service = _service(server, max_retries=0, max_in_flight=2)
        await asyncio.gather(*(_ask(service) for _ in range(8)))
        activity = service.activity()
        await service.close()
        assert service.activity().seconds_busy >= activity.seconds_busy > 0
        return activity

    with ServiceServer([rate(gather=2), rate(), busy(), rate(), busy()]) as server:
        activity = asyncio.run(scenario())
    assert (activity.answered, activity.retries, activity.slow_downs) == (8, 2, 2)


def test_nobody_sends_before_a_pause_is_over() -> None:
    async def scenario() -> None:
        service = _service(server, max_in_flight=1)
        calls = [_ask(service) for _ in range(3)]
        await _until(lambda: service.activity().paused > 0)
        activity = service.activity()
        assert (activity.in_flight, activity.slow_downs) == (0, 1)
        assert 0 < activity.paused <= 0.4
        assert len(server.requests) == 1
        await asyncio.gather(*calls)
        await service.close()

    with ServiceServer([busy(0.4)]) as server:
        asyncio.run(scenario())
    assert len(server.requests) == 4


def test_a_pause_longer_than_our_patience_stops_the_run() -> None:
    with ServiceServer(then=busy(121)) as server, pytest.raises(ServiceRefused, match=r"pause of 121 s.*go on later"):
        _reply(server, max_retries=3, patience=120)
    assert len(server.requests) == 1


def test_patience_bounds_a_call_however_many_retries_it_has() -> None:
    with ServiceServer(then=error(500)) as server, pytest.raises(ServiceFailed, match="answered 500"):
        _reply(server, max_retries=20, patience=0.3)
    assert len(server.requests) < 20


def test_an_outage_stops_the_run_and_costs_no_item_its_reply() -> None:
    async def scenario() -> list[Reply | BaseException]:
        service = _service(server, max_retries=0, outage=0.5)
        outcomes = await asyncio.gather(*(_ask(service) for _ in range(8)), return_exceptions=True)
        await service.close()
        return outcomes

    with ServiceServer(then=error(503)) as server:
        outcomes = asyncio.run(scenario())
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds.count(ServiceUnreachable) >= 1
    assert kinds.count(ServiceFailed) + kinds.count(ServiceSilent) <= 2  # before a third was in the same case
    unreachable = next(one for one in outcomes if isinstance(one, ServiceUnreachable))
    assert re.search(f"has answered no request .*{server.base_url}", str(unreachable))


def test_an_outage_that_passes_costs_nothing() -> None:
    async def scenario() -> list[Reply | BaseException]:
        service = _service(server, max_retries=1)
        outcomes = await asyncio.gather(*(_ask(service) for _ in range(8)), return_exceptions=True)
        await service.close()
        return outcomes

    with ServiceServer([error(503)] * 15) as server:
        assert {type(outcome) for outcome in asyncio.run(scenario())} == {Reply}


@pytest.mark.parametrize("slow", [service_server.hang(), service_server.drip()], ids=["hangs", "drips"])
def test_an_attempt_ends_in_time_however_its_bytes_come(slow: Reaction) -> None:
    with ServiceServer([slow, says("fine")]) as server:
        assert _reply(server, timeout=1).text == "fine"
    with ServiceServer([slow]) as server, pytest.raises(ServiceSilent, match=r"no complete answer within 1 s"):
        _reply(server, timeout=1, max_retries=0)


def test_a_service_that_is_not_there_fails_with_its_address() -> None:
    with ServiceServer() as server:
        pass
    with pytest.raises(ServiceSilent, match=f"{server.base_url} lost or refused the connection"):
        _reply(server, max_retries=0)


@pytest.mark.parametrize(
    ("reaction", "sentence"),
    [
        (error(401, "invalid_api_key"), "put a valid one into THE_KEY, then go on"),
        (error(403, message="not in your country"), "does not let this key use judge .*not in your country"),
        (error(404, "model_not_found", "no such model"), "has no model judge, or .* no such model"),
        (error(402, message="pay first"), "quota .* is used up: add credit, then go on .*pay first"),
        (service_server.no_quota(), "quota .* is used up: add credit, then go on"),
        (error(400, "billing_hard_limit_reached"), "quota .* is used up"),
        (Reaction(lambda _: b'{"error": {"type": "insufficient_quota"}}', status=429), "quota .* is used up"),
    ],
    ids=["bad key", "forbidden", "unknown model", "402", "429 without quota", "hard limit", "a type and no code"],
)
def test_what_only_a_person_can_mend_is_refused_at_the_first_request(reaction: Reaction, sentence: str) -> None:
    with ServiceServer(then=reaction) as server, pytest.raises(ServiceRefused, match=sentence) as caught:
        _reply(server, max_retries=5)
    assert isinstance(caught.value, RunStopped)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reaction", "failure"),
    [
        (error(400, message="messages must not be empty"), BadRequest),
        (error(422, message="temperature: not a number"), BadRequest),
        (service_server.too_long(), RequestTooLong),
        (error(413), RequestTooLong),
        (
            error(400, message="The decoder prompt (length 99) is longer than the maximum model length of 9."),
            RequestTooLong,
        ),
        (
            error(400, message="The input (99 tokens) is longer than the model's context length (9 tokens)."),
            RequestTooLong,
        ),
        (error(400, message="request (99 tokens) exceeds the available context size (9 tokens)"), RequestTooLong),
        (error(500, message="Requested tokens (99) exceed context window of 9"), RequestTooLong),
        (error(400, "content_filter", "The response was filtered"), ContentFiltered),
        (error(403, message="Your input was flagged"), ContentFiltered),
    ],
)
def test_a_request_that_is_rejected_fails_alone_at_once_with_the_servers_words(
    reaction: Reaction, failure: type[ServiceFailed]
) -> None:
    with ServiceServer([reaction]) as server:
        with pytest.raises(failure, match=r"answered \d+: ") as caught:
            _reply(server)
        assert type(caught.value) is failure
        assert "Rating" in _reply(server).text
    assert len(server.requests) == 2


def test_a_reasoning_model_is_asked_in_its_own_way_and_a_warning_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        service = _service(server)
        await _ask(service)
        await _ask(service)
        await service.close()

    script = [service_server.unsupported("max_tokens"), service_server.unsupported("temperature", "unsupported_value")]
    with ServiceServer(script) as server:
        asyncio.run(scenario())
    first, second, *good = server.requests
    assert {"max_tokens", "temperature"} <= set(first)
    assert {"max_completion_tokens", "temperature"} <= set(second)
    assert good == [{"model": "judge", "messages": ASK, "max_completion_tokens": 100}] * 2
    assert [re.sub(r" \(.*", "", record.message) for record in caplog.records if record.levelname == "WARNING"] == [
        "judge does not take max_tokens and is sent max_completion_tokens instead",
        "judge does not take temperature and is asked without, at the value it has by itself",
    ]


def test_what_the_config_adds_reaches_the_service() -> None:
    own = {"reasoning_effort": "low", "length_field": "max_completion_tokens", "extra_body": {"top_k": 3, "seed": 9}}
    with ServiceServer() as server:
        _reply(server, {"seed": 7}, **own)
    added = {"reasoning_effort": "low", "top_k": 3, "seed": 9, "max_completion_tokens": 100, "temperature": 0.0}
    assert server.requests == [{"model": "judge", "messages": ASK, **added}]


@pytest.mark.parametrize(
    ("refused", "knobs", "sentence"),
    [
        ("top_k", {"extra_body": {"top_k": 3}}, "take top_k out of service.extra_body"),
        ("max_tokens", {"length_field": "max_tokens"}, "Unsupported: 'max_tokens'"),
    ],
)
def test_a_field_that_the_user_asked_for_is_not_left_out_in_silence(
    refused: str, knobs: dict[str, Any], sentence: str
) -> None:
    refusal = service_server.unsupported(refused)
    with ServiceServer(then=refusal) as server, pytest.raises(DemosearchError, match=sentence):
        _reply(server, **knobs)
    assert len(server.requests) == 1


def test_an_effort_that_a_model_does_not_know_is_left_out_and_a_value_that_it_does_not_take_is_said() -> None:
    unknown = error(400, None, "Unrecognized request argument supplied: reasoning_effort")
    with ServiceServer([unknown]) as server:
        assert "Rating" in _reply(server, reasoning_effort="high").text
    value = error(400, "unsupported_value", "Unsupported value: 'reasoning_effort' does not support 'none' here.")
    with (
        ServiceServer(then=value) as server,
        pytest.raises(ServiceRefused, match="to a value that it takes"),
    ):
        _reply(server, reasoning_effort="none")


def _kept(server: ServiceServer, folder: Path) -> Reply:
    config = ServiceConfig(model="judge", base_url=server.base_url, api_key_variable=None)
    return asyncio.run(_ask_and_close(Service(config, {}, folder)))


def test_a_later_process_asks_without_what_an_earlier_one_left_out(tmp_path: Path) -> None:
    with ServiceServer([service_server.unsupported("temperature"), service_server.unsupported("max_tokens")]) as server:
        _kept(server, tmp_path)
        _kept(server, tmp_path)
    refused = [{"temperature", "max_tokens"} & request.keys() for request in server.requests]
    assert refused == [{"temperature", "max_tokens"}, {"max_tokens"}, set(), set()]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"limit": "n", "left_out": []}', b"\xff"])
def test_a_damaged_note_of_what_was_left_out_is_found_out_again(damage: bytes, tmp_path: Path) -> None:
    with ServiceServer([service_server.unsupported("temperature")]) as server:
        _kept(server, tmp_path)
        (note,) = tmp_path.glob("request-fields-*.json")
        note.write_bytes(damage)
        _kept(server, tmp_path)
    assert ["temperature" in request for request in server.requests] == [True, False, True]


def test_a_field_that_was_not_sent_cannot_be_left_out() -> None:
    refusal = service_server.unsupported("max_completion_tokens")
    with ServiceServer(then=refusal) as server, pytest.raises(BadRequest, match="max_completion_tokens"):
        _reply(server)
    assert len(server.requests) == 1


def test_a_judge_without_log_probabilities_stops_the_run_where_they_are_needed() -> None:
    refusal = service_server.unsupported("top_logprobs")
    with ServiceServer(then=refusal) as server, pytest.raises(ServiceRefused, match="reasoning_effort to none, or"):
        _reply(server, {"logprobs": 5})
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("garbage", "failure", "sentence"),
    [
        (sends(b"<html>proxy login</html>", "text/html"), ReplyUnusable, "not a chat completion"),
        (sends(b"null"), ReplyUnusable, r"answered with JSON \(None\) that is not a chat completion"),
        (sends(b"[]"), ReplyUnusable, "not a chat completion"),
        (sends(b'{"output": "7"}'), ReplyUnusable, r"another protocol than OpenAI's \(output; is base_url right\?\)"),
        (sends(b'{"choices": null}'), ReplyUnusable, "not a chat completion"),
        (sends(b'{"choices": []}'), ReplyUnusable, "0 choices where one was asked for"),
        (sends(b'{"choices": [null]}'), ReplyUnusable, "not a chat completion"),
        (sends(b'{"choices": [{"message": null}]}'), ReplyUnusable, "not a chat completion"),
        (sends(b'{"choices": [{"message": {"content": [{"text": "7"}]}}]}'), ReplyUnusable, "answered nothing"),
        (says(""), ReplyUnusable, r"answered nothing \(finish_reason stop\)$"),
        (says(" \n"), ReplyUnusable, "answered nothing"),
        (says("", finish="length"), ReplyUnusable, "raise max_tokens"),
        (says(None, finish="content_filter"), ContentFiltered, "finish_reason content_filter"),
        (says("Half a sen", finish="content_filter"), ContentFiltered, "broke off"),
        (sends(b'{"choices": [{"message": {"content": null, "refusal": "No."}}]}'), ContentFiltered, "refused .*: No"),
    ],
)
def test_an_answer_that_is_none_fails_alone(garbage: Reaction, failure: type[ServiceFailed], sentence: str) -> None:
    with ServiceServer([garbage]) as server, pytest.raises(failure, match=sentence):
        _reply(server)
    assert len(server.requests) == 1


def test_an_answer_that_says_nothing_still_says_what_it_cost() -> None:
    with ServiceServer([says("")]) as server, pytest.raises(ReplyUnusable) as caught:
        _reply(server)
    assert (caught.value.usage.calls, caught.value.usage.prompt_tokens) == (1, 3)


@pytest.mark.parametrize("usage", ["", ', "usage": null', ', "usage": {"prompt_tokens": "many"}', ', "usage": 7'])
def test_an_answer_without_token_counts_is_counted_by_its_words_and_says_that_it_is_an_estimate(usage: str) -> None:
    body = '{"choices": [{"message": {"content": "fine"}}]' + usage + "}"
    with ServiceServer([sends(body.encode())]) as server:
        usage_told = _reply(server, dollars_per_million_prompt_tokens=1, dollars_per_million_new_tokens=1).usage
    assert (usage_told.calls, usage_told.new_tokens, usage_told.estimated) == (1, 1, 1)
    assert usage_told.dollars == pytest.approx((usage_told.prompt_tokens + 1) / 1e6)


def test_as_many_requests_are_under_way_as_the_config_allows_and_no_more() -> None:
    async def scenario() -> None:
        service = _service(server, max_in_flight=4)
        await asyncio.gather(*(_ask(service) for _ in range(12)))
        await service.close()

    with ServiceServer(then=rate(gather=4)) as server:
        asyncio.run(scenario())
    assert server.max_in_flight == 4
    assert len(server.requests) == 12


def test_the_limit_grows_while_all_is_well_and_halves_when_it_is_not() -> None:
    async def scenario() -> list[int]:
        service = _service(server, max_in_flight=64)
        await asyncio.gather(*(_ask(service) for _ in range(64)))
        grown = service.activity().limit
        await _ask(service)
        halved = service.activity().limit
        await service.close()
        return [grown, halved]

    with ServiceServer([rate(gather=8)] * 8 + [rate()] * 56 + [busy()]) as server:
        grown, halved = asyncio.run(scenario())
    assert grown > 8
    assert halved == grown // 2


def test_a_cancelled_call_gives_its_place_back() -> None:
    async def scenario() -> str:
        service = _service(server, max_in_flight=1)
        hung = _ask(service)
        await _until(lambda: len(server.requests) == 1)
        hung.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hung
        return (await _ask_and_close(service)).text

    with ServiceServer([service_server.hang(), says("fine")]) as server:
        assert asyncio.run(scenario()) == "fine"


def test_a_look_that_no_answer_comes_to_names_its_own_time() -> None:
    async def look() -> None:
        config = ServiceConfig(model="judge", base_url=server.base_url, api_key_variable="THE_KEY", timeout=100)
        connection = Connection(config, open_access(config, {"THE_KEY": KEY}))
        try:
            await connection.try_once(lambda client: client.get("/models", cast_to=object), 0.05)
        finally:
            await connection.hang_up()

    with (
        ServiceServer(pages=lambda *_: service_server.hang()) as server,
        pytest.raises(ServiceFailed, match=r"gave no complete answer within 0\.05 s"),
    ):
        asyncio.run(look())


def test_closing_waits_for_what_is_paid_for_and_refuses_the_rest() -> None:
    async def scenario() -> list[Reply | BaseException]:
        service = _service(server, max_in_flight=2, max_retries=3)
        calls = [_ask(service) for _ in range(4)]
        await _until(lambda: service.activity().slow_downs == 1)
        closing = asyncio.create_task(service.close())
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        assert not closing.done()
        server.release()
        await closing
        return await asyncio.gather(*calls, return_exceptions=True)

    with ServiceServer([service_server.held(), busy(100)]) as server:  # one is under way, one pauses, two wait
        outcomes = asyncio.run(scenario())
    assert [type(outcome) for outcome in outcomes].count(Reply) == 1
    assert [type(outcome) for outcome in outcomes].count(ServiceFailed) == 3
    assert len(server.requests) == 2


@pytest.mark.parametrize("listing", [None, broken(), error(401)])
def test_a_reply_is_kept_where_the_model_list_cannot_be_looked_at_again(listing: Reaction | None) -> None:
    def pages(method: str, path: str, body: bytes) -> Reaction | None:
        looks.append(path)
        return page({"data": [{"id": "judge"}]}) if len(looks) <= 2 else listing

    async def scenario() -> Reply:
        service = _service(server)
        await service.look_up_model()
        await _ask(service)
        call = _ask(service)
        await _until(lambda: len(server.requests) == 4)  # the first and the third one were lost
        if listing is None:  # it closes before the reply comes
            closing = asyncio.create_task(service.close())
            await asyncio.sleep(0)
            server.release()
            await closing
        else:
            server.release()
        try:
            return await call
        finally:
            await service.close()

    looks: list[str] = []
    script = [service_server.lost(), rate(), service_server.lost(), service_server.held()]
    with ServiceServer(script, pages=pages) as server:
        assert asyncio.run(scenario()).text.startswith("Fair enough")
    assert len(looks) >= 2 + (listing is not None)


def test_a_closed_service_is_asked_nothing_more() -> None:
    async def scenario() -> None:
        service = _service(server)
        await service.close()
        await service.close()
        with pytest.raises(ServiceFailed, match="closed before it was asked"):
            await _ask(service)

    with ServiceServer() as server:
        asyncio.run(scenario())
    assert not server.requests


def test_calls_to_this_machine_do_not_go_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    with ServiceServer() as server:
        assert "Rating" in _reply(server, max_retries=0).text


def test_a_key_that_the_server_repeats_reaches_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = f"Incorrect API key provided: {KEY}"
    reactions = [error(status, message=told) for status in (400, 401, 402, 403, 404, 413, 422, 429, 500)]
    reactions += [
        sends(told.encode()),
        sends(told.encode(), "text/html"),
        says("", finish=told),
        error(429, KEY, told),
    ]
    with ServiceServer(reactions) as server:
        for _ in reactions:
            with pytest.raises(DemosearchError) as caught:
                _reply(server, max_retries=0)
            assert KEY not in repr(caught.value)
            assert KEY not in "".join(traceback.format_exception(caught.value))
        assert KEY not in repr(_service(server))
    assert caplog.records
    assert KEY not in caplog.text


def test_importing_the_package_loads_neither_openai_nor_httpx() -> None:
    program = (
        "import sys, workers.service.reply, workers.service.failures\n"
        "sys.exit(bool({'openai', 'httpx2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 -- it looks into a server in another thread
        await asyncio.sleep(0.005)
