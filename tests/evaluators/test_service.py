import asyncio
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable

import pytest

from configs.errors import DemosearchError
from configs.schema import ServiceConfig
from evaluators.failures import JudgeFailed, JudgeRefused
from evaluators.service import Message, Reply, Service
from tests import judge_server
from tests.judge_server import JudgeServer, Reaction, busy, error, rate, says, sends

KEY = "sk-very-secret-0123456789"
ASK: list[Message] = [{"role": "user", "content": "one two three"}]


def _service(server: JudgeServer, **knobs: object) -> Service:
    config = {
        "model": "judge",
        "base_url": server.base_url,
        "api_key_variable": "THE_KEY",
        "max_retries": 1,
        "timeout": 5,
    }
    return Service(ServiceConfig.model_validate(config | knobs), {"THE_KEY": KEY})


async def _complete(service: Service) -> Reply:
    try:
        return await service.complete(ASK, 0.0, 100)
    finally:
        await service.close()


def _reply(server: JudgeServer, **knobs: object) -> Reply:
    return asyncio.run(_complete(_service(server, **knobs)))


def test_an_answer_comes_with_its_tokens_and_why_it_ended() -> None:
    with JudgeServer([says("four five", finish="length")]) as server:
        assert _reply(server) == Reply("four five", 3, 2, "length")
    assert server.requests[0]["messages"] == ASK
    assert server.authorizations == [f"Bearer {KEY}"]


def test_a_server_that_asks_for_no_key_gets_the_word_none() -> None:
    with JudgeServer() as server:
        _reply(server, api_key_variable=None)
    assert server.authorizations == ["Bearer none"]


@pytest.mark.parametrize(
    "fault",
    [busy(), busy(0.01), error(500), error(503), error(408), judge_server.lost()],
    ids=["429", "429 with Retry-After", "500", "503", "408", "lost connection"],
)
def test_a_passing_fault_is_tried_again(fault: Reaction) -> None:
    with JudgeServer([fault, says("fine")]) as server:
        assert _reply(server).text == "fine"
    assert len(server.requests) == 2


def test_a_storm_of_429_passes_as_long_as_the_retries_last() -> None:
    with JudgeServer([busy(0.01)] * 5) as server:
        assert "Rating" in _reply(server, max_retries=5).text
    assert len(server.requests) == 6


def test_a_fault_that_stays_fails_once_the_retries_are_spent() -> None:
    with JudgeServer(then=busy(0.01)) as server, pytest.raises(JudgeFailed, match="answered 429: slow down"):
        _reply(server, max_retries=3)
    assert len(server.requests) == 4


def test_a_pause_of_over_two_minutes_is_not_waited_for() -> None:
    with JudgeServer(then=busy(121)) as server, pytest.raises(JudgeFailed, match="429"):
        _reply(server, max_retries=3)
    assert len(server.requests) == 1


@pytest.mark.parametrize("slow", [judge_server.hang(), judge_server.drip()], ids=["hangs", "drips"])
def test_an_attempt_ends_in_time_however_its_bytes_come(slow: Reaction) -> None:
    with JudgeServer([slow, says("fine")]) as server:
        assert _reply(server, timeout=0.3).text == "fine"
    with JudgeServer([slow]) as server, pytest.raises(JudgeFailed, match=r"no complete answer within 0\.3 s"):
        _reply(server, timeout=0.3, max_retries=0)


def test_a_service_that_is_not_there_fails_with_its_address() -> None:
    with JudgeServer() as server:
        pass
    with pytest.raises(JudgeFailed, match=f"{server.base_url} lost or refused the connection"):
        _reply(server, max_retries=0)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (error(401, "invalid_api_key"), "put a valid one into THE_KEY, then resume"),
        (error(403, message="not in your country"), "does not let this key use judge .*not in your country"),
        (error(404, "model_not_found", "no such model"), "has no model judge, or .* no such model"),
        (error(402, message="pay first"), "quota .* is used up: add credit, then resume .*pay first"),
        (judge_server.no_quota(), "quota .* is used up: add credit, then resume"),
        (error(400, "billing_hard_limit_reached"), "quota .* is used up"),
    ],
    ids=["bad key", "forbidden", "unknown model", "402", "429 without quota", "hard limit"],
)
def test_what_only_a_person_can_mend_is_refused_at_the_first_request(fault: Reaction, sentence: str) -> None:
    with JudgeServer(then=fault) as server, pytest.raises(JudgeRefused, match=sentence):
        _reply(server, max_retries=5)
    assert len(server.requests) == 1


def test_a_bad_request_fails_alone_with_the_servers_words() -> None:
    with JudgeServer([error(400, message="maximum context length is 10")]) as server:
        with pytest.raises(JudgeFailed, match="answered 400: maximum context length is 10"):
            _reply(server)
        assert "Rating" in _reply(server).text


@pytest.mark.parametrize(
    ("garbage", "sentence"),
    [
        (sends(b'{"id": "x", "choices": [{"ind'), "not JSON"),
        (sends(b""), "not JSON"),
        (sends(b"<html>proxy login</html>", "text/html"), "not a chat completion"),
        (sends(b"null"), "not a chat completion"),
        (sends(b"[]"), "not a chat completion"),
        (sends(b'{"output": "7"}'), "not a chat completion"),
        (sends(b'{"choices": null}'), "not a chat completion"),
        (sends(b'{"choices": []}'), "not a chat completion"),
        (sends(b'{"choices": [null]}'), "not a chat completion"),
        (sends(b'{"choices": [{"message": null}]}'), "not a chat completion"),
        (sends(b'{"choices": [{"message": {"content": [{"text": "7"}]}}]}'), "answered nothing"),
        (says(""), r"answered nothing \(finish_reason stop\)$"),
        (says(" \n"), "answered nothing"),
        (says(None, finish="content_filter"), "finish_reason content_filter"),
        (says("", finish="length"), r"raise judge\.max_tokens"),
    ],
)
def test_an_answer_that_is_none_fails_alone(garbage: Reaction, sentence: str) -> None:
    with JudgeServer([garbage]) as server, pytest.raises(JudgeFailed, match=sentence):
        _reply(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("usage", ["", ', "usage": null', ', "usage": {"prompt_tokens": "many"}', ', "usage": 7'])
def test_a_server_that_counts_no_tokens_is_taken_at_zero(usage: str) -> None:
    body = '{"choices": [{"message": {"content": "fine"}}]' + usage + "}"
    with JudgeServer([sends(body.encode())]) as server:
        assert _reply(server) == Reply("fine", 0, 0, "")


def test_as_many_requests_are_under_way_as_the_config_allows_and_no_more() -> None:
    async def scenario() -> None:
        service = _service(server, max_in_flight=4)
        await asyncio.gather(*(service.complete(ASK, 0.0, 100) for _ in range(12)))
        await service.close()

    with JudgeServer(then=rate(gather=4)) as server:
        asyncio.run(scenario())
    assert server.max_in_flight == 4
    assert len(server.requests) == 12


def test_a_cancelled_call_gives_its_slot_back() -> None:
    async def scenario() -> str:
        service = _service(server, max_in_flight=1)
        hung = asyncio.create_task(service.complete(ASK, 0.0, 100))
        await _until(lambda: len(server.requests) == 1)
        hung.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hung
        return (await _complete(service)).text

    with JudgeServer([judge_server.hang(), says("fine")]) as server:
        assert asyncio.run(scenario()) == "fine"


def test_closing_waits_for_what_is_paid_for_and_refuses_the_rest() -> None:
    async def scenario() -> list[Reply | BaseException]:
        service = _service(server, max_in_flight=2, max_retries=3)
        calls = [asyncio.create_task(service.complete(ASK, 0.0, 100)) for _ in range(4)]
        await _until(lambda: len(server.requests) == 2 and server.in_flight == 1)
        await _complete(_service(server))  # by now the 429 has arrived as well
        closing = asyncio.create_task(service.close())
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        assert not closing.done()
        server.release()
        await closing
        return await asyncio.gather(*calls, return_exceptions=True)

    with JudgeServer([judge_server.held(), busy(100)]) as server:  # one is under way, one pauses, two wait
        outcomes = asyncio.run(scenario())
    assert [type(outcome) for outcome in outcomes].count(Reply) == 1
    assert [type(outcome) for outcome in outcomes].count(JudgeFailed) == 3
    assert len(server.requests) == 3


def test_calls_to_this_machine_do_not_go_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    with JudgeServer() as server:
        assert "Rating" in _reply(server, max_retries=0).text


def test_a_key_that_the_server_repeats_reaches_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = f"Incorrect API key provided: {KEY}"
    faults = [error(status, message=told) for status in (400, 401, 402, 403, 404, 422, 429, 500)]
    faults += [sends(told.encode()), sends(told.encode(), "text/html"), says("", finish=told), error(429, KEY, told)]
    with JudgeServer(faults) as server:
        for _ in faults:
            with pytest.raises(DemosearchError) as caught:
                _reply(server, max_retries=0)
            assert KEY not in repr(caught.value)
            assert KEY not in "".join(traceback.format_exception(caught.value))
        service = _service(server)
        assert KEY not in repr(service)
    assert caplog.records
    assert KEY not in caplog.text


def test_importing_the_room_loads_neither_openai_nor_sacrebleu() -> None:
    program = (
        "import sys, evaluators, evaluators.judge, evaluators.judges, evaluators.verdict, evaluators.judge_prompts\n"
        "sys.exit(bool({'openai', 'httpx2', 'sacrebleu'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 -- it looks into a server in another thread
        await asyncio.sleep(0.005)
